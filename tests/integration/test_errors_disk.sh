#!/bin/bash
# A full disk: ENOSPC to the one who writes, what is complete stays, and room makes it work again.
. "$(dirname "$0")/lib.sh"

[[ $(id -u) -eq 0 ]] || skip "a small disk needs root"
small_disk "$T/small" 8m
use_store plain
source=$(source_of app v1)
tag=$T/v1
random_file "$T/app" 1000000
random_file "$T/large" 20000000

mount_indexfs "$source" "$tag" "state-dir=$T/small/state"
mkdir "$tag/linux-amd64"
cp "$T/app" "$tag/linux-amd64/app"

say "statfs tells the room of the staging disk"
assert_eq "blocks" "$(stat -f -c '%b %S' "$T/small")" "$(stat -f -c '%b %S' "$tag")"

say "cp is told"
assert_fails "cp of more than fits" "No space left" cp "$T/large" "$tag/linux-amd64/large"
assert_match "the log" "[Nn]o space" "$(mount_log "$tag")"
assert_same "$T/app" "$tag/linux-amd64/app"

say "without what didn't fit, the rest is published"
rm "$tag/linux-amd64/large"
sync "$tag"
agree "$tag" "$source"

say "what is removed makes room at once, also where it was on the disk for a while"
random_file "$T/half" 5000000
random_file "$T/other" 5000000
for file in half other half other; do
    cp "$T/$file" "$tag/linux-amd64/$file"
    sleep 1.3 # its bytes and the journal that tells of them are on the disk
    rm "$tag/linux-amd64/$file"
done
cp "$T/half" "$tag/linux-amd64/half"
sync "$tag"
agree "$tag" "$source"
rm "$tag/linux-amd64/half"

say "a second file fits once there is room"
mount -o remount,size=64m "$T/small"
cp "$T/large" "$tag/linux-amd64/large"
sync "$tag"
agree "$tag" "$source"
assert_same "$T/large" "$tag/linux-amd64/large"
unmount "$tag"

say "a full cache disk: reading works or says ENOSPC, and works once there is room"
small_disk "$T/cache" 1m
mount_indexfs "$source" "$T/again" "cache-dir=$T/cache/c"
result=$(python3 "$HERE/call.py" read "$T/again/linux-amd64/large")
assert_match "a read" "^(ok|ENOSPC)$" "$result"
mount -o remount,size=64m "$T/cache"
assert_same "$T/large" "$T/again/linux-amd64/large"
unmount "$T/again"
