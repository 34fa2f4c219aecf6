#!/bin/bash
# Many ends and beginnings of one mount: nothing that was closed is lost on the way.
. "$(dirname "$0")/lib.sh"

use_store plain
source=$(source_of team/app v1)
tag=$T/v1

say "what was made and removed in one life takes nothing from the next ones"
mount_indexfs "$source" "$tag"
mkdir "$tag/linux-amd64"
echo x >"$tag/linux-amd64/p"
echo y >"$tag/linux-amd64/p.new"
mv "$tag/linux-amd64/p.new" "$tag/linux-amd64/p"
rm "$tag/linux-amd64/p"
remount "$source" "$tag"
echo precious >"$tag/linux-amd64/q"
remount "$source" "$tag"
assert_eq "q" precious "$(cat "$tag/linux-amd64/q")"
remount "$source" "$tag"
assert_eq "q" precious "$(cat "$tag/linux-amd64/q")"
assert_eq "errors" "[]" "$(jq -c .errors "$tag/.oci/status")"

say "a scratch file over a commit, a change, and a mount without the registry"
echo one >"$tag/linux-amd64/app"
sync "$tag"
echo swap >"$tag/linux-amd64/.app.swp"
echo two >"$tag/linux-amd64/app"
sync "$tag"
echo precious >"$tag/linux-amd64/new"
unmount "$tag"
rm -rf "$T/cache-v1"
stop_registry plain
mount_indexfs "$source" "$tag"
assert_eq "new" precious "$(cat "$tag/linux-amd64/new")"
assert_eq "the scratch file" swap "$(cat "$tag/linux-amd64/.app.swp")"
unmount "$tag"
restart_registry plain
mount_indexfs "$source" "$tag"
assert_eq "new" precious "$(cat "$tag/linux-amd64/new")"
rm "$tag/linux-amd64/.app.swp"
sync "$tag"
agree "$tag" "$source"

say "a reader of the same source, before anything is staged, and gone again"
remount "$source" "$tag"
mount_indexfs "$source" "$T/reader" "ro,state-dir=$T/state-v1"
unmount "$T/reader"
echo still >"$tag/linux-amd64/after" || fail "create after the reader has gone"

say "annotations of a file that was renamed are shown after a remount, and the times of files"
echo '{"$descriptor": {"k1": "84"}, "app": {"note": "791"}}' >"$tag/linux-amd64/annotations.json"
mv "$tag/linux-amd64/app" "$tag/linux-amd64/renamed"
touch -d '2021-02-03 04:05:06 UTC' "$tag/linux-amd64/after"
echo again >"$tag/linux-amd64/q"
before=$(stat -c '%n %Y' "$tag"/linux-amd64/{after,q})
remount "$source" "$tag"
assert_eq "the note" 791 "$(jq -r '.renamed.note' "$tag/linux-amd64/annotations.json")"
assert_eq "the times" "$before" "$(stat -c '%n %Y' "$tag"/linux-amd64/{after,q})"
remount "$source" "$tag"
assert_eq "the times, once more" "$before" "$(stat -c '%n %Y' "$tag"/linux-amd64/{after,q})"
assert_eq "errors" "[]" "$(jq -c .errors "$tag/.oci/status")"
sync "$tag"
agree "$tag" "$source"

say "our own commit, whose answer was lost with the program, is nobody else's"
echo three >"$tag/linux-amd64/app"
kill -STOP "${registry_pid[plain]}"
sync "$tag/linux-amd64/app" &
syncing=$!
sleep 0.5
cp -r "$T/state-v1" "$T/state-killed" # as it is found after a kill in this moment
kill -CONT "${registry_pid[plain]}"
wait "$syncing"
unmount "$tag"
mount_indexfs "$source" "$tag" "state-dir=$T/state-killed"
assert_eq "app" three "$(cat "$tag/linux-amd64/app")"
echo later >"$tag/linux-amd64/later"
sync "$tag"
agree "$tag" "$source"
unmount "$tag"

say "one damaged byte in the journal costs one change, and is told"
mount_indexfs "$source" "$tag" "state-dir=$T/damage"
for i in 1 2 3 4 5; do echo "$i" >"$tag/linux-amd64/f$i"; done
unmount "$tag"
python3 - "$T"/damage/*/journal <<'P'
import sys
data = bytearray(open(sys.argv[1], "rb").read())
at = data.index(b"linux-amd64/f2")
data[at] ^= 1
open(sys.argv[1], "wb").write(data)
P
mount_indexfs "$source" "$tag" "state-dir=$T/damage"
for i in 1 3 4 5; do assert_eq "f$i" "$i" "$(cat "$tag/linux-amd64/f$i")"; done
assert_match "status" "the journal is damaged" "$(cat "$tag/.oci/status")"
unmount "$tag"

say "SIGTERM while a commit hangs: the daemon ends, and keeps what isn't committed"
mount_indexfs "$source" "$tag" "state-dir=$T/hanging"
echo hanging >"$tag/linux-amd64/hanging"
kill -STOP "${registry_pid[plain]}"
sync "$tag/linux-amd64/hanging" 2>/dev/null &
syncing=$!
sleep 0.5
pid=$(daemon_pid "$tag")
kill -TERM "$pid"
wait_until 20 dead "$pid" || fail "the daemon is still there"
kill -CONT "${registry_pid[plain]}"
wait "$syncing" || true
wait "$pid" || true
unset "daemon_of[$tag]"
umount -l "$tag" 2>/dev/null || true
mount_indexfs "$source" "$tag" "state-dir=$T/hanging"
assert_eq "hanging" hanging "$(cat "$tag/linux-amd64/hanging")"
sync "$tag"
unmount "$tag"
