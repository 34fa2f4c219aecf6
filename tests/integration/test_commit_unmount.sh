#!/bin/bash
# Takes long: starts first.
# -o commit=unmount: what is not committed is, when the mount ends.
. "$(dirname "$0")/lib.sh"

use_store plain
source=$(source_of team/app v1)
tag=$T/v1
log=${access_log[plain]}

is_published() { # TITLE TEXT
    [[ $(published "$source" linux-amd64 "$1") == sha256:$(printf '%s' "$2" | sha256sum | cut -d' ' -f1) ]]
}

say "nothing before, but for fsync"
mount_indexfs "$source" "$tag" commit=unmount
mkdir "$tag/linux-amd64"
printf nine >"$tag/linux-amd64/nine"
sync "$tag/linux-amd64/nine"
is_published nine nine || fail "fsync published nothing"
mark=$(log_mark "$log")
printf ten >"$tag/linux-amd64/ten"
assert_eq "what waits" null "$(jq .next_commit "$tag/.oci/status")"
assert_requests "$log" "$mark" "^PUT .*/manifests/" 0
unmount "$tag"
is_published ten ten || fail "not published: $(mount_log "$tag")"

say "SIGTERM is an end too"
mount_indexfs "$source" "$tag" commit=unmount
printf eleven >"$tag/linux-amd64/eleven"
kill -TERM "$(daemon_pid "$tag")"
wait_until 30 dead "$(daemon_pid "$tag")" || fail "the daemon is still there"
unmount "$tag"
is_published eleven eleven || fail "not published: $(mount_log "$tag")"

say "a registry that hangs is waited for, until a signal says not to; nothing is lost"
mount_indexfs "$source" "$tag" commit=unmount
printf twelve >"$tag/linux-amd64/twelve"
kill -STOP "${registry_pid[plain]}"
wait_until 5 try_unmount "$tag" || fail "can't unmount"
wait_until 10 grep -q "committing before the end" "$T/v1.log" || fail "no commit: $(mount_log "$tag")"
kill -TERM "$(daemon_pid "$tag")"
wait_until 60 dead "$(daemon_pid "$tag")" || fail "the daemon is still there"
kill -CONT "${registry_pid[plain]}"
unmount "$tag"
assert_match "the log" "not committed.*changes are not committed; they are kept" \
    "$(mount_log "$tag" | tr '\n' ' ')"
mount_indexfs "$source" "$tag"
assert_eq "twelve" twelve "$(cat "$tag/linux-amd64/twelve")"
sync "$tag"
agree "$tag" "$source"
unmount "$tag"
