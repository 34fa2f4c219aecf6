#!/bin/bash
# indexfs status: what isn't published, what failed and why, in words and as JSON, once or watched.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"

start_fixture main
source=${host[main]}/team/app:v1
tag=$T/v1
mount_indexfs "$source" "$tag"

# The part of an answer that is about this test's mounts.
status() {
    "$INDEXFS" status "$@"
}

say "nothing to tell"
assert_eq "all is published" "$tag: $source"$'\n'"  all is published" "$(status "$tag")"

say "what isn't published, with the place in a draft, seen from any path in the mount"
mkdir "$tag/linux-amd64" "$tag/linux-arm64"
echo one >"$tag/linux-amd64/one"
echo stray >"$tag/stray"
(printf '{\n  "a": "b",\n}' >"$tag/linux-arm64/annotations.json") 2>/dev/null || true
wait_until 30 grep -q '"state": "uploaded"' "$tag/.oci/status" || fail "one isn't uploaded: $(cat "$tag/.oci/status")"
out=$(cd "$tag/linux-amd64" && status .)
assert_match "a file" $'not published:\n(.*\n)?    linux-amd64/one' "$out"
assert_match "a draft" "to be mended: linux-arm64/annotations.json: line 3, column 1" "$out"
assert_match "a stray file" "in no platform folder, move it into one or remove it: stray" "$out"
assert_eq "from a path that isn't there" "$out" "$(status "$tag/linux-amd64/no/such")"
rm "$tag/stray" "$tag/linux-arm64/annotations.json"

say "the registry's own words, its status, and no secret"
fixture_set main 'fault PUT /manifests/ always status=403 body="{\"errors\":[{\"code\":\"DENIED\",\"message\":\"not on a Friday, see https://u:sesame@host/why?token=sesame\"}]}"'
assert_call EACCES fsync "$tag"
out=$(status "$tag")
assert_match "the error" "  /  \(EACCES, HTTP 403\)"$'\n'".*DENIED: not on a Friday" "$out"
[[ $out != *sesame* ]] || fail "a secret: $out"
! grep -q sesame "$tag/.oci/status" || fail "a secret: $(cat "$tag/.oci/status")"

say "each error has a number, also one that comes again"
numbers() { jq '[.errors[].number] | max' "$tag/.oci/status"; }
before=$(numbers)
assert_call EACCES fsync "$tag"
[[ $(numbers) -gt $before ]] || fail "no new number: $(cat "$tag/.oci/status")"
assert_eq "not listed twice" 1 "$(jq '[.errors[] | select(.http == 403)] | length' "$tag/.oci/status")"

say "twenty are kept, newest first"
for i in $(seq 25); do assert_call EINVAL mkdir "$tag/notes$i"; done
assert_eq "errors" "20 notes25 notes6" "$(jq -r '.errors
    | "\(length) \(.[0].message | scan("notes[0-9]+")) \(.[19].message | scan("notes[0-9]+"))"' "$tag/.oci/status")"

say "as JSON, with where it is mounted"
status --json "$tag" >"$T/json"
jq -e --arg m "$tag" --arg s "$source" 'length == 1 and .[0].mountpoint == $m and .[0].source == $s
    and (.[0].uncommitted | index("linux-amd64/one")) and (.[0].errors | length == 20)' "$T/json" >/dev/null ||
    fail "not that: $(cat "$T/json")"

say "every mount of the machine, a dead one too"
mount_indexfs "oci:$T/layout:v1" "$T/second"
kill -9 "$(daemon_pid "$T/second")"
wait "$(daemon_pid "$T/second")" || true
unset "daemon_of[$T/second]"
status --json >"$T/json"
assert_eq "the mounts" "v1 $source null second oci:$T/layout:v1 true" "$(jq -r --arg t "$T/" '
    .[] | select(.mountpoint | startswith($t))
    | "\(.mountpoint | ltrimstr($t)) \(.source) \(.dead)"' "$T/json" | xargs)"
out=$(status)
assert_match "in words" "$tag: $source"$'\n' "$out"
assert_match "the dead one" "$T/second: oci:$T/layout:v1"$'\n'"  the program that served it has ended" "$out"
"$INDEXFS" umount "$T/second"

say "what is no mount"
assert_fails "another folder" "$T lies in no mount of indexfs" "$INDEXFS" status "$T"
status=0
"$INDEXFS" status "$tag" "$tag" 2>/dev/null || status=$?
assert_eq "two paths" 2 "$status"

say "watched, not on a terminal: each change, until the mount ends"
fixture_set main clear
"$INDEXFS" status --watch "$tag" >"$T/watched" &
watching=$!
shows() { grep -q "$1" "$T/watched"; }
wait_until 20 shows "linux-amd64/one" || fail "nothing: $(cat "$T/watched")"
sync "$tag"
wait_until 20 shows "all is published" || fail "no change: $(cat "$T/watched")"
unmount "$tag"
wait "$watching"
assert_eq "the end" "the mount has ended" "$(tail -n 1 "$T/watched")"
! grep -q $'\033' "$T/watched" || fail "escape sequences in a file"

say "watched on a terminal: in its place, and no line is wider"
mount_indexfs "$source" "$tag"
echo two >"$tag/linux-amd64/$(printf 'long%.0s' {1..40})"
out=$(PROMPT=longlong timeout 20 python3 "$HERE/terminal.py" ^C -- "$INDEXFS" status --watch "$tag")
assert_match "it is cleared before it is drawn" $'\033\\[J.*not published' "$out"
assert_match "the interrupt key" "exit -2, echo on" "$out"
assert_eq "wide lines" "" "$(printf '%s\n' "$out" | sed 's/\x1b\[[0-9]*[AJ]//g' | tr -d '\r' | awk 'length > 80')"
unmount "$tag"
stop_fixture main
