#!/bin/bash
# How far an upload is: in status, in status --watch and commit on a terminal, as a bar.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"

start_fixture main
fixture_set main "fault PUT /blobs/uploads/ once stall=8" # and nothing of the body is read
tag=$T/v1
mount_indexfs "${host[main]}/team/app:v1" "$tag"
mkdir "$tag/linux-amd64"
random_file "$T/big" 33554432
cp "$T/big" "$tag/linux-amd64/big"

say "in lines, without a bar"
is_uploading() { "$INDEXFS" status "$tag" >"$T/said" && grep -q "uploading:" "$T/said"; }
wait_until 20 is_uploading || fail "no upload: $(cat "$T/said")"
assert_match "status" $'uploading:\n +[0-9]+% of 32.0 MiB  linux-amd64/big' "$(cat "$T/said")"

say "watched on a terminal, with a bar"
out=$(PROMPT="of 32.0 MiB" python3 "$HERE/terminal.py" ^C -- "$INDEXFS" status --watch "$tag")
assert_match "the bar" $'    \\[#*-+\\] +[0-9]+% of 32.0 MiB  linux-amd64/big' "$out"

say "a commit that waits for it, on a terminal, until it is done"
out=$(python3 "$HERE/terminal.py" -- "$INDEXFS" commit "$tag")
assert_match "the bar" $'publishing \\[#*-+\\] [0-9.]+ ([KM]iB|bytes) of 32.0 MiB, 1 file' "$out"
assert_match "the end" "$tag: published: sha256:.*exit 0" "$out"
assert_match "drawn in its place" $'\033\\[1A\r\033\\[J' "$out"
assert_eq "and then nothing is uploading" "[]" \
    "$(jq -c '[.uploads[] | select(.state == "uploading")]' "$tag/.oci/status")"
unmount "$tag"
stop_fixture main
