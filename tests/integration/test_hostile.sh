#!/bin/bash
# Takes long: starts first.
# A registry that wants the password, or wants the mount to fall over: it gets nothing, each answer
# of it is the contract's errno in time and in little memory, and what is good goes on.
if [[ -z ${HOSTILE_NETWORK-} ]]; then
    # Addresses and names of the test's own, among them those that nobody may be led to.
    # What is unmounted elsewhere goes here too, where the root's propagation can be set (slave).
    export HOSTILE_NETWORK=1
    for propagation in slave unchanged; do
        namespaces=(unshare --net --mount --propagation "$propagation")
        "${namespaces[@]}" true 2>/dev/null && break
        namespaces=()
    done
    [[ ${#namespaces[@]} -gt 0 ]] || { echo "skip: no network namespaces here"; exit 77; }
    exec "${namespaces[@]}" bash "$0"
fi
. "$(dirname "$0")/lib.sh"

drop_copied_mounts

SERVER=$HERE/hostile.py
MODE=$T/mode
REQUESTS=$T/requests.log
SECRETS='sesame-of-the-tester|token-of-the-tester'
encoded=$(printf 'tester:sesame-of-the-tester' | base64)
SECRETS+="|$encoded"
TIMEOUT=2
PEAK_KIB=65536
unset HTTPS_PROXY ALL_PROXY NO_PROXY no_proxy
cases=0 peak_most=0

start_hostile() {
    python3 "$SERVER" network
    cat /etc/hosts - >"$T/hosts" <<END
10.9.9.1 registry.test
10.9.9.2 thief.test
10.9.9.3 self.test
127.0.0.1 sneaky.test
169.254.169.254 metadata.test
END
    mount --bind "$T/hosts" /etc/hosts
    make_ca
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=self.test \
        -addext "subjectAltName=DNS:self.test" -keyout "$T/self.key" -out "$T/self.crt" 2>/dev/null
    # Its names are all vouched for: what keeps the thief out is not its certificate.
    openssl x509 -req -in "$T/server.csr" -CA "$T/ca.crt" -CAkey "$T/ca.key" -CAcreateserial -days 2 \
        -out "$T/server.crt" 2>/dev/null -extfile <(echo "subjectAltName=DNS:registry.test,DNS:thief.test,\
DNS:sneaky.test,DNS:metadata.test,IP:127.0.0.1,IP:::1,IP:169.254.169.254,IP:fe80::1,IP:0.0.0.0")
    openssl req -newkey rsa:2048 -nodes -subj "/CN=tester" -keyout "$T/client.key" -out "$T/client.csr" 2>/dev/null
    openssl x509 -req -in "$T/client.csr" -CA "$T/ca.crt" -CAkey "$T/ca.key" -CAcreateserial -days 2 \
        -out "$T/client.crt" 2>/dev/null
    python3 "$SERVER" serve "$T" 2>"$T/server.log" &
    registry_pid[hostile]=$!
    wait_until 20 test -e "$T/ready" || fail "the registry: $(cat "$T/server.log")"
    printf '{"auths": {"registry.test": {"auth": "%s"}}}' "$encoded" >"$T/auth.json"
    chmod 600 "$T/auth.json"
}

OPTIONS=ca-file=$T/ca.crt,cert=$T/client.crt,key=$T/client.key,authfile=$T/auth.json,timeout=$TIMEOUT,retries=1

mode() {
    echo "$1" >"$MODE.new"
    mv "$MODE.new" "$MODE"
}

# Runs a command, and leaves its peak of memory, in KiB, in a file.
MEASURE='import os, resource, sys
status = os.spawnvp(os.P_WAIT, sys.argv[2], sys.argv[2:])
with open(sys.argv[1], "w") as file:
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=file)
sys.exit(status)'

# A sanitizer keeps what is freed for a while, so only the usual build's memory is judged.
judge_peak() { # WHAT KIB
    [[ $2 -le $peak_most ]] || peak_most=$2
    built_with_sanitizers || [[ $2 -le $PEAK_KIB ]] || fail "$1: $2 KiB of memory"
}

reset_peak() { # PID
    echo 5 >"/proc/$1/clear_refs"
}

peak_of() { # PID
    awk '/^VmHWM:/ { print $2 }' "/proc/$1/status"
}

# In time: the timeout, and what it takes to begin and to end. Where a read ahead fails the kernel
# reads again, so that one call can wait twice.
judge_time() { # WHAT BEGUN [WAITS]
    local took=$(((${EPOCHREALTIME/./} - ${2/./}) / 1000))
    [[ -z ${TIMES-} ]] || echo "TIME $took $1"
    [[ $took -le $((${3:-1} * TIMEOUT * 1000 + 5000)) ]] || fail "$1: took $took ms"
}

judge_words() { # WHAT FILE...
    local what=$1
    shift
    ! LC_ALL=C grep -anE $'[\x01-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]' "$@" >"$T/raw" ||
        fail "$what: control characters: $(cat -v "$T/raw" | head -n 5)"
    ! grep -anE "$SECRETS" "$@" >"$T/raw" || fail "$what: secrets: $(head -n 5 "$T/raw")"
}

# assert_command_fails WHAT PATTERN COMMAND...: as it should: exit status 1, its reason, in time.
assert_command_fails() {
    local what=$1 pattern=$2 begun=$EPOCHREALTIME status=0
    shift 2
    timeout 20 python3 -ISc "$MEASURE" "$T/peak" "$@" >"$T/said" 2>&1 </dev/null || status=$?
    assert_eq "$what: exit status ($(head -c 2000 "$T/said"))" 1 "$status"
    assert_match "$what" "^indexfs: .*($pattern)" "$(tail -n 2 "$T/said")"
    judge_time "$what" "$begun"
    judge_words "$what" "$T/said"
    judge_peak "$what" "$(cat "$T/peak")"
}

assert_mount_fails() { # REPOSITORY PATTERN
    mkdir -p "$T/refused"
    assert_command_fails "$1" "$2" "$INDEXFS" "registry.test/$1/x:v1" "$T/refused" -f \
        -o "$OPTIONS,ro,state-dir=$T/state-refused,cache-dir=$T/cache-refused"
}

# Each case of a kind: FUNCTION NAME EXPECTED.
each_case() { # KIND FUNCTION
    local name expected
    while read -r -u 3 name expected; do
        "$2" "$name" "$expected"
        cases=$((cases + 1))
    done 3< <(python3 "$SERVER" cases "$1")
}

mount_case() { # KIND NAME EXPECTED
    if [[ $3 != ok ]]; then
        assert_mount_fails "$1/$2" "$3"
        return
    fi
    mount_indexfs "registry.test/$1/$2/x:v1" "$T/$2" "$OPTIONS,ro"
    assert_eq "$1/$2" hello "$(cat "$T/$2/linux-amd64/hello")"
    unmount "$T/$2"
    judge_words "$1/$2" "$T/$2.log"
}

realm_case() { mount_case realm "$@"; }
token_case() { mount_case token "$@"; }
tag_case() { mount_case tag "$@"; }

# judged_call WHAT DIR EXPECTED OPERATION ARG...: one call into a mount, by what the contract says.
judged_call() {
    local what=$1 pid begun=$EPOCHREALTIME
    pid=$(daemon_pid "$2")
    reset_peak "$pid"
    if [[ $4 == part ]]; then
        assert_eq "$what" "$3" "$(python3 "$SERVER" part "$5")"
    else
        assert_call "${@:3}"
    fi
    judge_time "$what" "$begun" 2
    judge_peak "$what" "$(peak_of "$pid")"
}

next_good=0
assert_good_goes_on() { # a file that nobody has asked for yet
    assert_eq "the next good file" "good $next_good" "$(cat "$T/reads/linux-arm64/g$next_good")"
    next_good=$((next_good + 1))
}

manifest_case() {
    judged_call "manifest $1" "$T/reads" "$2" read "$T/reads/linux-$1/hello"
    assert_good_goes_on
}

blob_case() {
    judged_call "blob $1" "$T/reads" "$2" read "$T/reads/linux-amd64/$1"
    assert_good_goes_on
}

# Names are where a layer or an entry of an index can write on a terminal, or lead elsewhere.
odd_cases() {
    local dir=$T/names file
    mount_indexfs registry.test/odd/names/x:v1 "$dir" "$OPTIONS,ro"
    find "$dir" -type f >"$T/found"
    judge_words "names" "$T/found"
    assert_eq "files" "$(wc -l <"$T/found")" "$(sort -u "$T/found" | wc -l)"
    assert_eq "layers of one folder" 18 "$(find "$dir/linux-s390x" -type f ! -name annotations.json | wc -l)"
    find "$dir/linux-s390x" -type f ! -name annotations.json >"$T/found"
    while read -r file; do
        assert_match "$file" '^odd [0-9]+$' "$(cat "$file")"
    done <"$T/found"
    getfattr -R -d -m - "$dir" >"$T/attributes" 2>&1 || true
    judge_words "names" "$T/attributes" "$dir.log"
    unmount "$dir"
    mount_indexfs registry.test/odd/deep/x:v1 "$T/deep" "$OPTIONS,ro"
    judged_call "64 indexes deep" "$T/deep" ok listdir "$T/deep"
    assert_fails "64 indexes deep" "Too many levels of symbolic links" timeout 20 find "$T/deep" -fprint "$T/found"
    assert_eq "folders that find has found" 18 "$(wc -l <"$T/found")" # the top, 16, and one that has no end
    unmount "$T/deep"
    mount_indexfs registry.test/odd/nul/x:v1 "$T/nul" "$OPTIONS,ro"
    assert_eq "a title with a NUL" odd "$(cat "$T/nul/linux-amd64"/*)"
    unmount "$T/nul"
    mount_indexfs registry.test/odd/surrogate/x:v1 "$T/surrogate" "$OPTIONS,ro"
    judged_call "half a character" "$T/surrogate" EIO listdir "$T/surrogate/linux-amd64"
    unmount "$T/surrogate"
    cases=$((cases + 18 + 8 + 3))
}

# Where ranges can't be trusted the rest is read whole, for good: so each has a mount of its own.
range_case() {
    local dir=$T/range-$1
    mount_indexfs "registry.test/range/$1/x:v1" "$dir" "$OPTIONS,ro"
    judged_call "range $1" "$dir" "$2" part "$dir/linux-amd64/large"
    unmount "$dir"
    judge_words "range $1" "$dir.log"
}

write_case() {
    mode "$1"
    echo "$1" >"$T/writes/linux-amd64/$1"
    judged_call "write $1" "$T/writes" "$2" fsync "$T/writes"
    mode good
    echo "good after $1" >"$T/writes/linux-amd64/after"
    judged_call "good after $1" "$T/writes" ok fsync "$T/writes"
    assert_eq "what was staged" "$1" "$(cat "$T/writes/linux-amd64/$1")"
}

login_case() {
    mode "$1"
    assert_command_fails "login $1" "$2" bash -c \
        'exec "$0" login -o "$1" -u tester --password-stdin registry.test <<<sesame-of-the-tester' \
        "$INDEXFS" "ca-file=$T/ca.crt,authfile=$T/login.json,timeout=$TIMEOUT"
    assert_missing "$T/login.json"
}

start_hostile

say "a good mount, with the password"
mount_indexfs registry.test/good:v1 "$T/good" "$OPTIONS,ro"
assert_eq "a good file" hello "$(cat "$T/good/linux-amd64/hello")"
unmount "$T/good"

say "realms"
each_case realm realm_case

say "token servers"
each_case token token_case

say "documents of tags"
each_case tag tag_case

say "manifests and blobs"
mount_indexfs "registry.test/reads:v1" "$T/reads" "$OPTIONS"
each_case manifest manifest_case
each_case blob blob_case
judge_words "the reading mount" "$T/reads.log" "$T/reads/.oci/log" "$T/reads/.oci/status"
unmount "$T/reads"

say "names"
odd_cases

say "ranges"
each_case range range_case

say "uploads"
mode good
mount_indexfs "registry.test/writes:v1" "$T/writes" "$OPTIONS"
mkdir "$T/writes/linux-amd64"
each_case write write_case
judge_words "the writing mount" "$T/writes.log" "$T/writes/.oci/log" "$T/writes/.oci/status"
unmount "$T/writes"

say "logins"
each_case login login_case

say "nobody else was told anything, and nobody was led astray"
judge_requests() {
    jq -c 'select(.trap or .headers.cookie or .headers["x-injected"]
        or (.where != "registry" and (.certificate or .headers.authorization or .headers["proxy-authorization"])))' "$REQUESTS"
    jq -c 'select(.where != "registry")' "$REQUESTS" | grep -E "$SECRETS" || true
    jq -c 'select(.where != "registry" and (.target | test("token")))' "$REQUESTS"
}
assert_eq "requests that should not be" "" "$(judge_requests)"
assert_match "the registry knows the certificate" '"where": "registry".*"certificate": true' "$(head -n 2 "$REQUESTS")"
assert_match "the thief was there" '"where": "thief"' "$(cat "$REQUESTS")"

echo "$cases cases; at most $peak_most KiB of memory"
