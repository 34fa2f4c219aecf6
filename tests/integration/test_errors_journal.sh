#!/bin/bash
# A disk that is full when the journal is to be made anew after a commit: what was published stays
# published, nothing is changed upon a journal that is out of date, and room makes it work again.
. "$(dirname "$0")/lib.sh"

[[ $(id -u) -eq 0 ]] || skip "a small disk needs root"
use_store plain
source=$(source_of app v1)
tag=$T/v1

fill_disk() { # DIR
    dd if=/dev/zero of="$1/fill" bs=4k 2>/dev/null || true
}

published_files() {
    raw "$source" | jq -r '.manifests[].digest' | while read -r digest; do
        raw_at "$source" "$digest" | jq -c '[.layers[].annotations["org.opencontainers.image.title"]]'
    done
}

# A commit on a disk that is full. In .work.swp there is something to be told of after it.
commit_on_full_disk() { # DISK
    small_disk "$1" 4m
    mount_indexfs "$source" "$tag" "state-dir=$1/state,cache-dir=$1/cache"
    mkdir -p "$tag/linux-amd64"
    echo one >"$tag/linux-amd64/a"
    assert_call ok fsync "$tag"
    echo scratch >"$tag/linux-amd64/.work.swp"
    echo two >"$tag/linux-amd64/b"
    wait_until 20 on_disk "$1" 2 || fail "nothing is on disk"
    fill_disk "$1"
    assert_call ok fsync "$tag"
    assert_eq "published" '["a","b"]' "$(published_files)"
    assert_match "the log" "could not be written down here.*No space" "$(mount_log "$tag")"
}

on_disk() { # DISK COUNT: whether the journal says that so many files are on disk
    [[ $(grep -ac '^[0-9a-f]* [0-9a-f]* S' "$1"/state/*/journal) -ge $2 ]]
}

say "after an unmount, and with room again, what was published is there and stays published"
commit_on_full_disk "$T/first"
unmount "$tag"
rm "$T/first/fill"
mount_indexfs "$source" "$tag" "state-dir=$T/first/state,cache-dir=$T/first/cache"
assert_eq "the files" ".work.swp a b" "$(ls -A "$tag/linux-amd64" | xargs)"
echo three >"$tag/linux-amd64/c"
assert_call ok fsync "$tag"
assert_eq "published" '["a","b","c"]' "$(published_files)"
unmount "$tag"

say "in the same mount nothing can be changed before there is room, and then all can"
source=$(source_of app v2)
commit_on_full_disk "$T/second"
assert_fails "a new folder" "No space left" mkdir "$tag/linux-arm64"
assert_fails "removing" "No space left" rm "$tag/linux-amd64/a"
rm "$T/second/fill"
echo three >"$tag/linux-amd64/c"
rm "$tag/linux-amd64/a"
assert_call ok fsync "$tag"
assert_eq "published" '["b","c"]' "$(published_files)"
assert_eq "staged files: the scratch file's" 1 "$(ls "$T"/second/state/*/files | wc -l)"
remount "$source" "$tag" "state-dir=$T/second/state,cache-dir=$T/second/cache"
assert_eq "the files" ".work.swp b c" "$(ls -A "$tag/linux-amd64" | xargs)"
unmount "$tag"
