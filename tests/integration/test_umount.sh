#!/bin/bash
# indexfs umount: tells what isn't published, publishes it first where that is asked for, and waits
# for the end, telling why it takes long.
. "$(dirname "$0")/lib.sh"

use_store plain
source=$(source_of team/app v1)
tag=$T/v1
log=${access_log[plain]}

umount_it() { # ARG...; sets out and status
    status=0
    out=$("$INDEXFS" umount "$@" 2>&1) || status=$?
}

# The daemon has ended by itself, and well.
assert_gone() {
    mountpoint -q "$tag" && fail "still mounted"
    dead "$(daemon_pid "$tag")" || fail "umount returned before the daemon has ended"
    wait "$(daemon_pid "$tag")" || fail "the daemon: $(mount_log "$tag")"
    unset "daemon_of[$tag]"
}

say "nothing to tell"
mount_indexfs "$source" "$tag"
umount_it "$tag"
assert_eq "exit status" 0 "$status"
assert_eq "what it says" "" "$out"
assert_gone

say "what isn't published is named, kept and not published"
mount_indexfs "$source" "$tag"
mkdir "$tag/linux-amd64"
echo one >"$tag/linux-amd64/one"
mark=$(log_mark "$log")
umount_it "$tag/"
assert_eq "exit status" 0 "$status"
assert_eq "what it says" "indexfs: $tag/: not published; kept, and there again after the next mount:
    linux-amd64/one" "$out"
assert_gone
assert_requests "$log" "$mark" "^PUT .*/manifests/" 0

say "--commit publishes it first"
mount_indexfs "$source" "$tag"
umount_it --commit "$tag"
assert_eq "exit status" 0 "$status"
assert_eq "what it says" "$tag: published: sha256:$(raw "$source" | sha256sum | cut -d' ' -f1)" "$out"
assert_gone

say "and where that fails, it stays mounted"
mount_indexfs "$source" "$tag"
echo two >"$tag/linux-amd64/two"
stop_registry plain
umount_it "$tag" --commit
assert_eq "exit status" 1 "$status"
assert_match "the reason" "not published: Connection refused.*hint: it is mounted still" "$out"
assert_eq "two" two "$(cat "$tag/linux-amd64/two")"
umount_it "$tag"
assert_eq "exit status" 0 "$status"
assert_match "what it says" "linux-amd64/two" "$out"
assert_gone
restart_registry plain

say "a mount that publishes at its end does so where it's seen"
mount_indexfs "$source" "$tag" commit=unmount
umount_it "$tag"
assert_eq "exit status" 0 "$status"
assert_match "what it says" "^$tag: published: sha256:" "$out"
assert_gone
assert_match "two" "^sha256:" "$(published "$source" linux-amd64 two)"

say "in use: the reason, what to do, and the mount stays"
mount_indexfs "$source" "$tag"
exec 9<"$tag/linux-amd64/two"
umount_it "$tag"
assert_eq "exit status" 1 "$status"
assert_match "the reason" "busy.*hint: a program .*fuser" "$(tr '\n' ' ' <<<"$out")"
mountpoint -q "$tag" || fail "it is gone"
exec 9<&-

say "interrupted while it publishes: it stays mounted"
echo three >"$tag/linux-amd64/three"
remount "$source" "$tag" commit=unmount
kill -STOP "${registry_pid[plain]}"
# once the first line of how far it is is drawn
out=$(PROMPT=$'\e[J' python3 "$HERE/terminal.py" ^C -- "$INDEXFS" umount "$tag")
kill -CONT "${registry_pid[plain]}"
assert_match "what it says" "Interrupted.*hint: it is mounted still.*exit 1" "$out"
assert_eq "three" three "$(cat "$tag/linux-amd64/three")"
umount_it "$tag"
assert_gone

say "a daemon that takes long is waited for, and told of every few seconds"
mount_indexfs "$source" "$tag" timeout=5,retries=0
kill -STOP "${registry_pid[plain]}"
timeout 1 ls "$tag/linux-amd64" >/dev/null 2>&1 || true
umount_it "$tag"
kill -CONT "${registry_pid[plain]}"
assert_eq "exit status" 0 "$status"
assert_match "what it says" "$tag: unmounted; since 3 s its program \(process [0-9]+\) ends what it has begun" "$out"
assert_gone

say "what is no mount"
umount_it "$T"
assert_match "the reason" "$T: no indexfs is mounted there" "$out"
mount_indexfs "$source" "$tag"
umount_it "$tag/linux-amd64"
assert_match "the reason" "it lies in the mount at $tag" "$out"
umount_it
assert_eq "usage" 2 "$status"
umount_it "$tag"
assert_eq "exit status" 0 "$status"
assert_gone

say "a directory that is open when the mount is taken away, and closed after that: nothing of it is left"
for _ in 1 2 3 4 5 6 7 8; do
    mount_indexfs "$source" "$tag"
    exec 6<"$tag"
    umount -l "$tag"
    exec 6<&-
    unmount "$tag"
done
