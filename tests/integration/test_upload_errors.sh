#!/bin/bash
# What a background upload can meet: close says it once, the log and status say it, it is tried
# again, and nothing is lost.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"

tag=$T/v1
folder=$tag/linux-amd64

is_state() { # FILE STATE
    [[ $(getfattr --only-values --absolute-names -n user.oci.state "$1") == "$2" ]]
}

wait_state() {
    wait_until 60 is_state "$@" || fail "$1 isn't $2: $(cat "$tag/.oci/status")"
}

upload() { # FILE MEMBER
    jq -r --arg path "$1" ".uploads[] | select(.path == \$path) | .$2" "$tag/.oci/status"
}

# How often a line of the log tells of an upload that failed.
told() { # PATH
    mount_log "$tag" | grep -c "$1: not uploaded yet, and tried again: " || true
}

# Appends to a file N times through one descriptor; how close(2) of a duplicate ends each time.
close_each() { # FILE N
    python3 -c '
import errno, os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
said = []
for i in range(int(sys.argv[2])):
    os.write(fd, b"x")
    try:
        os.close(os.dup(fd))
        said.append("ok")
    except OSError as error:
        said.append(errno.errorcode[error.errno])
print(*said)
' "$@"
}

random_file "$T/one" 50000
random_file "$T/two" 60000
use_store plain
source=$(source_of team/app v1)
mount_indexfs "$source" "$tag"
mkdir "$folder"
cp "$T/one" "$folder/first"
sync "$tag"

say "the registry goes away: cp succeeds, and what it copied waits"
stop_registry plain
cp "$T/one" "$folder/one" || fail "cp"
wait_state "$folder/one" failed
assert_match "status" "efused|connect" "$(upload linux-amd64/one error)"
assert_match "errors" "ECONNREFUSED" "$(jq -c '.errors[] | select(.path == "linux-amd64/one")' "$tag/.oci/status")"
assert_eq "a file that nobody sends" 0 "$(upload linux-amd64/one sent)"

say "the next close of the file tells it, once"
assert_eq "closes" "ECONNREFUSED ok ok" "$(close_each "$folder/one" 3)"
printf 'xxx' >>"$T/one"

say "files that come meanwhile wait; each error is told once"
for i in $(seq 10); do
    cp "$T/two" "$folder/waits$i" || fail "cp"
done
assert_call ECONNREFUSED fsync "$tag"
assert_match "tries of all the ten" "^[0-9]$" "$(jq '[.uploads[] | select(.path | test("waits")) | .tries] | add' "$tag/.oci/status")"

say "it comes back: they go up by themselves, and nothing is left to tell"
restart_registry plain
wait_state "$folder/one" uploaded
for i in $(seq 10); do wait_state "$folder/waits$i" uploaded; done
assert_eq "errors of uploads" "" "$(jq -r '.uploads[].error // empty' "$tag/.oci/status")"
assert_eq "closes" "ok" "$(close_each "$folder/waits1" 1)"
printf x | cat "$T/two" - >"$T/two-x"
[[ $(told linux-amd64/one) -le 2 ]] || fail "told $(told linux-amd64/one) times: $(mount_log "$tag")"
sync "$tag"
agree "$tag" "$source"
assert_same "$T/one" "$folder/one"
assert_same "$T/two-x" "$folder/waits1"

say "mounted without the registry: what waits goes up when it's there"
stop_registry plain
cp "$T/one" "$folder/offline"
remount "$source" "$tag"
wait_state "$folder/offline" failed
restart_registry plain
wait_state "$folder/offline" uploaded
sync "$tag"
agree "$tag" "$source"
unmount "$tag"

say "what is wrong with one file holds up no other"
start_fixture small
fixture_set small "fault PUT digest=sha256:$(sha256sum <"$T/one" | cut -d' ' -f1) always status=413"
mount_indexfs "${host[small]}/team/app:v1" "$tag"
mkdir "$folder"
cp "$T/one" "$folder/large"
wait_state "$folder/large" failed
cp "$T/two" "$folder/other"
wait_state "$folder/other" uploaded
is_state "$folder/large" failed || fail "$(cat "$tag/.oci/status")"
assert_call EFBIG fsync "$tag"
assert_eq "manifests" "" "$(fixture_requests small 0 | grep 'PUT .*/manifests/' || true)"
fixture_set small clear
sync "$tag"
agree "$tag" "${host[small]}/team/app:v1"
unmount "$tag"
