# shellcheck shell=bash
# The registry of the tests, which has quirks and fails by script, and the relay. tests/README.md
# lists what they can do.

FIXTURES=$(dirname "$INDEXFS")/tests/fixture

# start_fixture NAME [REGISTRYD-OPTION...]: sets host[NAME]. What it keeps is in $T/fixture-NAME.
start_fixture() {
    local name=$1 dir=$T/fixture-$1
    shift
    [[ -x $FIXTURES/registryd ]] || fail "$FIXTURES/registryd isn't built: make tests"
    mkdir -p "$dir"
    rm -f "$dir/out"
    "$FIXTURES/registryd" --root "$dir/root" --log "$dir/log" "$@" >"$dir/out" 2>"$dir/err" &
    registry_pid[$name]=$!
    wait_until 10 fixture_answers "$name" || fail "registryd: $(cat "$dir/err")"
    host[$name]=localhost:$(sed -n 's/^ready //p' "$dir/out")
}

fixture_answers() {
    [[ -s $T/fixture-$1/out ]] || ! alive "${registry_pid[$1]}"
}

# stop_fixture NAME: it ends by itself, with status 0 and nothing to say.
stop_fixture() {
    local status=0 pid=${registry_pid[$1]}
    kill "$pid"
    wait "$pid" || status=$?
    unset "registry_pid[$1]"
    assert_eq "how registryd $1 ended ($(cat "$T/fixture-$1/err"))" 0 "$status"
    assert_eq "what registryd $1 said" "" "$(cat "$T/fixture-$1/err")"
}

# fixture_set NAME LINE...: faults and quirks from now on.
fixture_set() {
    local name=$1 said
    shift
    said=$(printf '%s\n' "$@" | curl -sS --data-binary @- -H Expect: "http://${host[$name]}/_control")
    assert_eq "fixture_set $*" ok "$said"
}

# mark=$(fixture_mark NAME); fixture_log NAME MARK: the log's lines since;
# fixture_requests NAME MARK: "METHOD PATH STATUS" of each.
fixture_mark() {
    curl -sS "http://${host[$1]}/_log" | wc -l
}

fixture_log() {
    curl -sS "http://${host[$1]}/_log" | tail -n "+$(($2 + 1))"
}

fixture_requests() {
    fixture_log "$@" | sed -E 's#^[0-9]+ ([A-Z]+) ([^ ?]*)[^ ]* ([0-9]+) .*#\1 \2 \3#
        s#/blobs/uploads/[0-9a-f]+#/blobs/uploads/UPLOAD#'
}

# fixture_count NAME KIND requests|in|out|running|most: of all requests of a kind, "PUT uploads" for one;
# how many are under way now, and were at the same time.
fixture_count() {
    curl -sS "http://${host[$1]}/_counts" | jq --arg kind "$2" --arg what "$3" '.[$kind][$what] // 0'
}

# start_relay NAME TO [RELAY-OPTION...]: host[NAME] leads to host[TO].
start_relay() {
    local name=$1 to=${host[$2]##*:} out=$T/relay-$1
    shift 2
    "$FIXTURES/relay" --to "$to" "$@" >"$out" &
    registry_pid[$name]=$!
    wait_until 10 test -s "$out" || fail "the relay doesn't listen"
    host[$name]=localhost:$(head -n 1 "$out")
}

# stop_relay NAME: sets relay_counts, "connections N to-server BYTES to-client BYTES cuts N".
stop_relay() {
    local pid=${registry_pid[$1]}
    kill "$pid"
    wait "$pid" || fail "the relay ended badly"
    unset "registry_pid[$1]"
    # shellcheck disable=SC2034 # for the test
    relay_counts=$(tail -n 1 "$T/relay-$1")
}
