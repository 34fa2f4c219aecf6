#!/bin/bash
# What programs do beside a commit, and in its way: nothing is lost, nothing hangs, nothing half.
. "$(dirname "$0")/lib.sh"

use_store plain
source=$(source_of team/app v1)
tag=$T/v1
mount_indexfs "$source" "$tag"

say "two syncs and an empty folder: both end, and the folder can be listed"
mkdir "$tag/linux-amd64" "$tag/linux-arm64"
random_file "$tag/linux-amd64/app" 20000000
sync "$tag/linux-amd64/app" &
first=$!
timeout 30 sync "$tag" || fail "the second sync: $?"
wait "$first" || fail "the first sync"
timeout 5 ls "$tag" >/dev/null || fail "ls hangs"
assert_eq "an empty folder is in no index" amd64 "$(raw "$source" | jq -r '.manifests[].platform.architecture')"
assert_match "the log" "linux-arm64: an empty folder isn't published" "$(mount_log "$tag")"

say "an empty folder that a commit left out can still be filled"
cd "$tag/linux-arm64"
cp /bin/true tool
mkdir -p share/doc
sync tool
cp /bin/false share/doc/file
sync .
cd "$T"
assert_eq "tool" "$(digest_of /bin/true)" "$(published "$source" linux-arm64 tool)"
assert_eq "share/doc/file" "$(digest_of /bin/false)" "$(published "$source" linux-arm64 share/doc/file)"

say "the only file replaced by unlink and create while another file is synced: the entry stays"
rm "$tag/linux-arm64/share/doc/file"
sync "$tag"
python3 - "$tag" <<'P'
import os, sys
tag = sys.argv[1]
os.unlink(tag + "/linux-arm64/tool")
new = open(tag + "/linux-arm64/tool", "wb")
new.write(b"half")
new.flush()
other = os.open(tag + "/linux-amd64/app", os.O_WRONLY | os.O_APPEND)
os.write(other, b"more")
os.fsync(other)
os.close(other)
new.write(b" and whole")
new.close()
P
assert_eq "the old file" "$(digest_of /bin/true)" "$(published "$source" linux-arm64 tool)"
sync "$tag"
printf 'half and whole' >"$T/whole"
assert_eq "the new file" "$(digest_of "$T/whole")" "$(published "$source" linux-arm64 tool)"

say "a file that children of a shell write one after the other isn't published by halves"
(echo a; /bin/true; touch "$T/begun"; sleep 1.5; echo b) >"$tag/linux-arm64/log" &
shell=$!
wait_until 5 test -e "$T/begun"
sync "$tag"
assert_eq "log" "" "$(published "$source" linux-arm64 log)"
wait "$shell"
sync "$tag"
printf 'a\nb\n' >"$T/log"
assert_eq "log" "$(digest_of "$T/log")" "$(published "$source" linux-arm64 log)"

say "what is copied within the mount during a commit is what is published by the next"
random_file "$T/one" 300000
random_file "$T/two" 300000
cp "$T/one" "$tag/linux-amd64/one"
sync "$tag"
cp "$T/two" "$tag/linux-amd64/two"
kill -STOP "${registry_pid[plain]}"
sync "$tag/linux-arm64/log" "$tag/linux-amd64/two" &
syncing=$!
sleep 0.5
cp "$tag/linux-amd64/one" "$tag/linux-amd64/two"
echo changed >"$tag/linux-arm64/tool"
kill -CONT "${registry_pid[plain]}"
wait "$syncing"
sync "$tag/linux-amd64"
agree "$tag" "$source"
remount "$source" "$tag"
assert_same "$T/one" "$tag/linux-amd64/two"

say "a tree copied beside a loop of syncs is published whole"
mkdir -p "$T/tree"
for i in $(seq 60); do
    mkdir "$T/tree/d$i"
    echo "$i" >"$T/tree/d$i/file"
done
(until [[ -e $T/enough ]]; do sync "$tag"; done) &
loop=$!
cp -r "$T/tree" "$tag/linux-arm64/" || fail "cp -r"
touch "$T/enough"
wait "$loop"
sync "$tag"
diff -r "$T/tree" "$tag/linux-arm64/tree" || fail "the copy differs"
agree "$tag" "$source"

say "a signal ends a waiting sync at once; the next one publishes"
echo again >"$tag/linux-arm64/tool"
kill -STOP "${registry_pid[plain]}"
assert_call EINTR fsync-for 0.5 "$tag/linux-arm64/tool"
kill -CONT "${registry_pid[plain]}"
sync "$tag"
agree "$tag" "$source"
unmount "$tag"
