#!/bin/sh
# clients.sh BINARY: what other people's programs make of the server. In a virtual environment of its own, which it
# makes beside the build (WAJAH_CLIENTS_ENV, or a temporary folder): the OpenAPI document passes a validator, a client
# generated from it enrols, recognises, checks in and deletes, and `requests` and `httpx` work on the original's routes.
# Needs network for PyPI once; slow, so ./test does not run it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
binary=${1:?"clients.sh BINARY: the program to test, build/wajah"}
environment=${WAJAH_CLIENTS_ENV:-$(mktemp -d)/env}
if [ ! -x "$environment/bin/python" ]; then
  python3 -m venv "$environment"
  "$environment/bin/pip" install --quiet --disable-pip-version-check \
    'openapi-spec-validator<1' 'openapi-python-client>=0.20,<1' 'requests<3' 'httpx<1' 'jsonschema<5'
fi
exec "$environment/bin/python" -B "$here/clients.py" "$binary" "$environment"
