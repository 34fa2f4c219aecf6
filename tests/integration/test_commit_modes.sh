#!/bin/bash
# Takes long: starts first.
# -o commit=close and idle: when something is published that no fsync has asked for.
. "$(dirname "$0")/lib.sh"

use_store plain
source=$(source_of team/app v1)
tag=$T/v1
log=${access_log[plain]}

is_published() { # TITLE TEXT
    [[ $(published "$source" linux-amd64 "$1") == sha256:$(printf '%s' "$2" | sha256sum | cut -d' ' -f1) ]]
}

wait_published() { # TITLE TEXT
    wait_until 30 is_published "$@" || fail "$1 isn't published: $(cat "$tag/.oci/status")"
}

next_is() { # JQ-CONDITION on next_commit
    jq -e ".next_commit | $1" "$tag/.oci/status" >/dev/null
}

wait_next() {
    wait_until 30 next_is "$1" || fail "next_commit isn't $1: $(cat "$tag/.oci/status")"
}

# Opens a file for writing, says so, and closes it once it is told to.
hold() { # PATH TEXT
    python3 -c '
import os, sys
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o644)
os.write(fd, sys.argv[2].encode())
os.close(os.dup(fd))  # a flush, and no end
print("held", flush=True)
sys.stdin.readline()
os.write(fd, b" and the rest")
' "$1" "$2"
}

begin_holding() { # PATH TEXT: file descriptors 7 (ends it) and 8
    coproc HOLDER { hold "$1" "$2"; }
    exec 7>&"${HOLDER[1]}" 8<&"${HOLDER[0]}"
    holder=$HOLDER_PID
    read -r -u 8 _
}

end_holding() {
    echo >&7
    wait "$holder"
    exec 7>&- 8<&-
}

say "a bad value is told with the right ones"
mkdir -p "$tag"
assert_fails "commit=later" "fsync, close, idle, idle:SECONDS .* or unmount" \
    "$INDEXFS" "$source" "$tag" -o commit=later
assert_fails "commit=idle:x" "commit=idle:x: it takes" "$INDEXFS" "$source" "$tag" -o commit=idle:x
assert_fails "commit=idle:0" "1 to 86400" "$INDEXFS" "$source" "$tag" -o commit=idle:0

say "close: what was closed is published, a shell's redirection too"
mount_indexfs "$source" "$tag" commit=close
assert_eq "the mode" close "$(jq -r .commit "$tag/.oci/status")"
mkdir "$tag/linux-amd64"
printf one >"$tag/linux-amd64/one"
wait_published one one
wait_next "not"

say "close: what is being written isn't, whatever was flushed, and holds nothing else up"
begin_holding "$tag/linux-amd64/half" half
printf two >"$tag/linux-amd64/two"
wait_published two two
assert_eq "what is being written" "" "$(published "$source" linux-amd64 half)"
end_holding
wait_published half "half and the rest"

say "close: a hundred files are no hundred commits"
mkdir "$T/many"
for i in $(seq 100); do echo "$i" >"$T/many/f$i"; done
mark=$(log_mark "$log")
cp -r "$T/many" "$tag/linux-amd64/"
wait_published many/f100 $'100\n'
commits=$(requests_matching "$log" "$mark" "^PUT .*/manifests/v1 201" | wc -l)
[[ $commits -lt 20 ]] || fail "$commits commits"

say "close: what was renamed and removed is published as well"
mv "$tag/linux-amd64/one" "$tag/linux-amd64/uno"
wait_published uno one
rm -r "$tag/linux-amd64/many"
gone() { [[ -z $(published "$source" linux-amd64 many/f100) ]]; }
wait_until 30 gone || fail "what was removed is there still"
agree "$tag" "$source"
unmount "$tag"

say "idle: scratch files that are open don't matter, ordinary ones do"
mount_indexfs "$source" "$tag" commit=idle:1
begin_holding "$tag/linux-amd64/film.part" film
printf three >"$tag/linux-amd64/three"
wait_published three three
end_holding
rm "$tag/linux-amd64/film.part"
begin_holding "$tag/linux-amd64/slow" slow
mark=$(log_mark "$log")
printf four >"$tag/linux-amd64/four"
wait_next ".in_seconds == null and .tries == 0"
assert_requests "$log" "$mark" "^PUT .*/manifests/" 0
end_holding
wait_published four four
is_published slow "slow and the rest" || fail "slow isn't in the same commit"

say "idle: a registry that is gone is tried again, and told of"
stop_registry plain
printf five >"$tag/linux-amd64/five"
wait_next '.tries >= 2 and (.error | test("[Rr]efused|connect"))'
restart_registry plain
wait_published five five
wait_next "not"

say "idle: nothing is tried while a draft is broken or a file stands outside, and then it is"
mark=$(log_mark "$log")
(printf '{broken' >"$tag/linux-amd64/annotations.json") 2>/dev/null || true
printf six >"$tag/linux-amd64/six"
wait_next '.in_seconds == null and (.error | test("^linux-amd64/annotations.json"))'
printf stray >"$tag/stray"
printf '{"k": "v"}' >"$tag/linux-amd64/annotations.json"
wait_next '.in_seconds == null and (.error | test("^stray"))'
assert_requests "$log" "$mark" "^PUT .*/manifests/" 0
assert_eq "tries" 0 "$(jq .next_commit.tries "$tag/.oci/status")"
mv "$tag/stray" "$tag/linux-amd64/stray"
wait_published six six
is_published stray stray || fail "stray isn't published"

say "idle: nothing is tried while what is to be attached has a broken draft, and then it is attached"
attachment=$tag/linux-amd64/.oci/referrers/application.spdx+json
mark=$(log_mark "$log")
mkdir "$attachment"
(printf '{broken' >"$attachment/annotations.json") 2>/dev/null || true
printf sbom >"$attachment/sbom.json"
wait_next '.in_seconds == null and .tries == 0 and (.error | test("referrers/application.spdx\\+json/annotations.json"))'
assert_requests "$log" "$mark" "^PUT .*/manifests/" 0
printf '{"k": "v"}' >"$attachment/annotations.json"
attached() { [[ -n $(compgen -G "$attachment~*") ]]; }
wait_until 30 attached || fail "not attached: $(cat "$tag/.oci/status")"
assert_eq "its annotation" v "$(jq -r '.["$manifest"].k' "$attachment~"*/annotations.json)"

say "idle: what is left at the end is published with the end"
unmount "$tag"
mount_indexfs "$source" "$tag" commit=idle:3600
printf seven >"$tag/linux-amd64/seven"
unmount "$tag"
is_published seven seven || fail "not published: $(mount_log "$tag")"

say "what was not committed before counts as just changed"
mount_indexfs "$source" "$tag"
printf eight >"$tag/linux-amd64/eight"
unmount "$tag"
assert_eq "eight" "" "$(published "$source" linux-amd64 eight)"
mount_indexfs "$source" "$tag" commit=idle:1
wait_published eight eight
unmount "$tag"

say "close: a tag that is moved by others all the time is no conflict for the user: tried again"
. "$HERE/lib/fixture.sh"
start_fixture moved
source=${host[moved]}/team/app:v1
mount_indexfs "$source" "$T/moved" commit=close
tag=$T/moved
mkdir "$tag/linux-amd64"
printf one >"$tag/linux-amd64/one"
wait_published one one
fixture_set moved 'fault PUT /manifests/v1 always status=412'
printf two >"$tag/linux-amd64/two"
wait_next '.tries >= 1 and .in_seconds != null'
assert_eq "conflicts" "[]" "$(jq -c .conflicts "$tag/.oci/status")"
fixture_set moved clear
wait_published two two
unmount "$tag"
stop_fixture moved
