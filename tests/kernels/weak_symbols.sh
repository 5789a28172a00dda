#!/bin/sh
# weak_symbols.sh OBJECT...: fails if an object defines a weak or unique symbol. The linker keeps one copy of such a symbol
# for the whole program, and if that one was compiled for AVX-512 the program dies on every older machine.
set -eu
[ $# -gt 0 ] || { echo "weak_symbols.sh: no objects given" >&2; exit 2; }
symbols=$(nm -A -C --defined-only "$@")
found=$(echo "$symbols" | grep -E '^[^ ]+ *[0-9a-f]* [WwVvu] ' || true)
if [ -n "$found" ]; then
  echo "weak symbols in kernel objects:" >&2
  echo "$found" >&2
  exit 1
fi
echo "$# kernel objects, no weak symbol"
