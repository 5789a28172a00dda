#!/bin/sh
# nvcc.sh LOG COMMAND...: runs a compiler; what it says goes to LOG, and is shown if it fails or warns.
log=$1
shift
"$@" >"$log" 2>&1
status=$?
if [ $status -ne 0 ] || grep -qi 'warning\|error' "$log"; then grep -v '^ptxas info\|bytes stack frame' "$log" >&2; fi
exit $status
