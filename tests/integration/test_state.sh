#!/bin/bash
# State belongs to one source: two layouts that are called alike share nothing, and a mount that
# can't be written holds nobody up.
. "$(dirname "$0")/lib.sh"

mkdir "$T/one" "$T/two"
state=state-dir=$T/state

say "a layout by a relative path, changed and not committed"
cd "$T/one"
mount_indexfs oci:app:v1 "$T/first" "$state"
mkdir "$T/first/linux-amd64"
echo one >"$T/first/linux-amd64/file"
unmount "$T/first"

say "another of the same name in another folder has nothing of it"
cd "$T/two"
mount_indexfs oci:app:v1 "$T/second" "$state"
assert_eq "what is shown" "" "$(ls "$T/second")"
unmount "$T/second"

say "the first, by its absolute path, has what it had"
mount_indexfs "oci:$T/one/app:v1" "$T/first" "$state"
assert_eq "the file" one "$(cat "$T/first/linux-amd64/file")"
sync "$T/first"

say "beside it, the same source to read"
mount_indexfs "oci:$T/one/app:v1" "$T/reader" "$state,ro"
assert_eq "the file" one "$(cat "$T/reader/linux-amd64/file")"
assert_call EROFS create "$T/reader/linux-amd64/other"
unmount "$T/reader"
unmount "$T/first"
