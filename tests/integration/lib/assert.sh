# shellcheck shell=bash
# Assertions, which say what was expected and what came, and end the test.

assert_eq() { # WHAT EXPECTED GOT
    [[ $2 == "$3" ]] || fail "$1"$'\n'"  expected: $2"$'\n'"  got:      $3"
}

assert_match() { # WHAT REGEX TEXT
    [[ $3 =~ $2 ]] || fail "$1"$'\n'"  expected to match: $2"$'\n'"  got: $3"
}

assert_same() { # FILE FILE
    cmp "$1" "$2" || fail "$1 and $2 differ"
}

assert_exists() {
    [[ -e $1 ]] || fail "$1 isn't there"
}

assert_missing() {
    [[ ! -e $1 ]] || fail "$1 is there and shouldn't be"
}

# assert_call EXPECTED OPERATION ARG...: one system call (call.py lists them) and how it ended:
# "ok", or the name of its errno. An operation of several calls says which one failed.
assert_call() {
    local expected=$1 got
    shift
    got=$(python3 "$HERE/call.py" "$@")
    assert_eq "$*" "$expected" "$got"
}

# assert_calls: the same of many, lines "EXPECTED OPERATION ARG..." on standard input.
assert_calls() {
    local wrong
    wrong=$(python3 "$HERE/call.py" --check)
    [[ -z $wrong ]] || fail "calls that ended in another way: $wrong"
}

# assert_fails WHAT PATTERN COMMAND...: exit status not 0, and what it printed matches.
assert_fails() {
    local what=$1 pattern=$2 out status=0
    shift 2
    out=$("$@" 2>&1) || status=$?
    [[ $status -ne 0 ]] || fail "$what: succeeded, and should have failed"
    [[ $out =~ $pattern ]] || fail "$what"$'\n'"  expected to match: $pattern"$'\n'"  got: $out"
}

# A pipe that nothing is ever written to: waiting for it starts no program, as sleep would.
exec {never}<> <(:)

# wait_until SECONDS COMMAND...
wait_until() {
    local end=$((SECONDS + $1 * ${TEST_PATIENCE:-1}))
    shift
    until "$@"; do
        [[ $SECONDS -lt $end ]] || return 1
        read -r -t 0.05 -u "$never" || true
    done
}
