#!/bin/bash
# Takes long: starts first.
# Each kind of request with each fault, once, and a fifth of those where it lasts: the operation
# succeeds or says why, and nothing is lost. All of them: make check-fault.
. "$(dirname "$0")/lib.sh"

build=$(dirname "$INDEXFS")
[[ -x $build/tests/fixture/registryd ]] || fail "$build/tests/fixture/registryd isn't built: make tests"
export TMPDIR=$T
say "once"
python3 "$ROOT/tests/fault/faults.py" "$build" --filter '/ once$'
say "always"
python3 "$ROOT/tests/fault/faults.py" "$build" --filter '/ always$' --part 1/5
