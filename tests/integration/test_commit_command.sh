#!/bin/bash
# indexfs commit: publishes what a path lies in, says how it ended and why, and can be interrupted.
. "$(dirname "$0")/lib.sh"

use_store plain
source=$(source_of team/app v1)
tag=$T/v1
mount_indexfs "$source" "$tag"
mkdir "$tag/linux-amd64"
echo one >"$tag/linux-amd64/one"

commit() { # OPTIONS and PATH; sets out and status
    status=0
    out=$("$INDEXFS" commit "$@" 2>&1) || status=$?
}

say "a file, a folder, a path that isn't there any more"
commit "$tag/linux-amd64/one"
assert_eq "exit status" 0 "$status"
assert_eq "what it says" "$tag/linux-amd64/one: published: sha256:$(raw "$source" | sha256sum | cut -d' ' -f1)" "$out"
agree "$tag" "$source"
echo two >"$tag/linux-amd64/two"
rm "$tag/linux-amd64/one"
(cd "$tag/linux-amd64" && "$INDEXFS" commit one >/dev/null)
agree "$tag" "$source"
mark=$(log_mark "${access_log[plain]}")
commit "$tag"
assert_match "nothing to do" "^$tag: nothing had changed: sha256:" "$out"
assert_requests "${access_log[plain]}" "$mark" "^PUT" 0

say "the whole story of a failure: what is wrong, where, and what to do; of no earlier one"
(printf '{broken' >"$tag/linux-amd64/annotations.json") 2>/dev/null || true
echo stray >"$tag/stray"
commit "$tag"
assert_eq "exit status" 1 "$status"
assert_match "the reason" "^indexfs: $tag: not published: Invalid argument"$'\n' "$out"
assert_match "the draft" "to be mended: linux-amd64/annotations.json: line 1, column" "$out"
assert_match "the stray file" "remove it: stray" "$out"
assert_match "what is kept" "hint: all that was changed is kept" "$out"
rm "$tag/stray" "$tag/linux-amd64/annotations.json"
stop_registry plain
echo three >"$tag/linux-amd64/three"
commit "$tag"
assert_eq "exit status" 1 "$status"
assert_match "the reason" "not published: Connection refused" "$out"
assert_match "the words" "\(ECONNREFUSED\)"$'\n'".*connection refused" "$out"
[[ $out != *annotations.json* ]] || fail "an earlier error: $out"
restart_registry plain
commit "$tag"
assert_eq "the same again" 0 "$status"
agree "$tag" "$source"

say "while it waits for the registry nobody else waits for it; interrupted, all is kept"
echo four >"$tag/linux-amd64/four"
kill -STOP "${registry_pid[plain]}"
"$INDEXFS" commit "$tag" >"$T/said" 2>&1 &
waiting=$!
is_committing() { jq -e .committing "$tag/.oci/status" >/dev/null; }
wait_until 20 is_committing || fail "no commit is under way"
timeout 20 ls "$tag" >/dev/null || fail "ls waits for the commit"
timeout 20 touch "$tag/linux-amd64/five" || fail "touch waits for the commit"
kill -TERM "$waiting"
status=0
wait "$waiting" || status=$?
assert_eq "exit status" 1 "$status"
assert_match "the end" "not published: Interrupted system call"$'\n'"(.*"$'\n'")?hint: all that was changed is kept" \
    "$(cat "$T/said")"
out=$(PROMPT=publishing python3 "$HERE/terminal.py" ^C -- "$INDEXFS" commit "$tag")
assert_match "the interrupt key" "not published: Interrupted system call.*exit 1, echo on" "$out"
kill -CONT "${registry_pid[plain]}"
assert_eq "four" four "$(cat "$tag/linux-amd64/four")"
commit "$tag"
assert_eq "exit status" 0 "$status"
agree "$tag" "$source"

say "changed here and by somebody else: named with both digests; settled either way"
other=$T/other
mount_indexfs "$source" "$other"
for side in ours theirs; do
    echo "theirs $side" >"$other/linux-amd64/two"
    echo "ours $side" >"$tag/linux-amd64/two"
    theirs=$(digest_of "$other/linux-amd64/two") ours=$(digest_of "$tag/linux-amd64/two")
    sync "$other"
    commit "$tag"
    assert_eq "exit status" 1 "$status"
    assert_match "the conflict" "Stale file handle.*linux-amd64/two"$'\n'" *ours *$ours"$'\n'" *theirs *$theirs" "$out"
    assert_match "what to do" "indexfs commit --ours $tag/PATH publishes ours, --theirs gives it up" "$out"
    commit "--$side" "$tag/linux-amd64/two"
    assert_eq "exit status ($out)" 0 "$status"
    assert_eq "what is published" "${!side}" "$(published "$source" linux-amd64 two)"
    assert_eq "what is shown" "$side $side" "$(cat "$tag/linux-amd64/two")"
    remount "$source" "$other"
done
unmount "$other"

say "wrong usage, and what is no mount"
commit
assert_eq "no path" 2 "$status"
commit --ours --theirs "$tag"
assert_eq "both sides" 2 "$status"
commit "$T"
assert_eq "not a mount" 1 "$status"
assert_match "the reason" "indexfs: $T: it lies in no mount" "$out"
unmount "$tag"

say "a mount that can't be written says so"
mount_indexfs "$source" "$tag" ro
commit "$tag"
assert_eq "exit status" 0 "$status"
assert_match "nothing" "nothing had changed" "$out"
unmount "$tag"
