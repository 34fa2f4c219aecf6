#!/bin/bash
# A disk that is full when the journal is to be made anew after a commit: what was published stays
# published, nothing is changed upon a journal that is out of date, and room makes it work again.
# And what can't be written down isn't done.
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
assert_call "open ENOSPC" put "$tag/linux-amd64/a" other
assert_call ENOSPC truncate "$tag/linux-amd64/b" 1
assert_eq "what was to be truncated" "one two" "$(cat "$tag"/linux-amd64/[ab] | xargs)"
rm "$T/second/fill"
echo more >>"$tag/linux-amd64/b"
assert_eq "appended to" "two more" "$(xargs <"$tag/linux-amd64/b")"
echo three >"$tag/linux-amd64/c"
rm "$tag/linux-amd64/a"
assert_call ok fsync "$tag"
assert_eq "published" '["b","c"]' "$(published_files)"
assert_eq "staged files: the scratch file's" 1 "$(ls "$T"/second/state/*/files | wc -l)"
remount "$source" "$tag" "state-dir=$T/second/state,cache-dir=$T/second/cache"
assert_eq "the files" ".work.swp b c" "$(ls -A "$tag/linux-amd64" | xargs)"
unmount "$tag"

# Until not one more record has room. Leaves the last time that has.
fill_journal() { # FILE
    for time in $(seq 1000 1500); do
        touch -d "@$time" "$1" 2>"$T/touch.err" || return 0
    done
    fail "500 times have had room"
}

say "a time, a mode and annotations that can't be written down are refused, and change nothing"
source=$(source_of app v3)
small_disk "$T/third" 4m
mount_indexfs "$source" "$tag" "state-dir=$T/third/state,cache-dir=$T/third/cache"
mkdir "$tag/linux-amd64"
app=a-name-longer-than-that-of-the-file-that-is-touched
echo app >"$tag/linux-amd64/$app"
echo b >"$tag/linux-amd64/b"
mkfifo "$T/text"
cat "$T/text" >"$tag/linux-amd64/annotations.json" 2>"$T/cat.err" &
writer=$!
exec 4>"$T/text"
printf '{"%s": {"dev.indexfs.mode": "0755", "org.example.k": "v"}}' "$app" >&4
wait_until 10 test -s "$tag/linux-amd64/annotations.json" || fail "the text isn't there"
fill_disk "$T/third"
fill_journal "$tag/linux-amd64/b"
assert_match "touch" "No space left" "$(cat "$T/touch.err")"
assert_eq "the time" "$((time - 1))" "$(stat -c %Y "$tag/linux-amd64/b")"
assert_fails "chmod" "No space left" chmod +x "$tag/linux-amd64/$app"
exec 4>&-
! wait "$writer" || fail "the close went well"
assert_match "close" "No space left" "$(cat "$T/cat.err")"
[[ ! -x $tag/linux-amd64/$app ]] || fail "it has become executable"
assert_eq "errors of it" 1 "$(jq '[.errors[] | select(.path | endswith("/b"))] | length' \
    "$tag/.oci/status")"

say "once there is room the same annotations are taken, by the commit"
rm "$T/third/fill"
assert_call ok fsync "$tag"
[[ -x $tag/linux-amd64/$app ]] || fail "it hasn't become executable"
manifest=$(raw_at "$source" "$(raw "$source" | jq -r '.manifests[0].digest')")
assert_eq "published" '"0755" "v"' "$(jq -c '.layers[0].annotations
    | .["dev.indexfs.mode"], .["org.example.k"]' <<<"$manifest" | xargs -d'\n')"

say "and a mode that annotations have told is there again after a kill"
printf '{"b": {"dev.indexfs.mode": "0755", "org.example.k": "w"}}' >"$tag/linux-amd64/annotations.json"
kill_daemon "$tag"
mount_indexfs "$source" "$tag" "state-dir=$T/third/state,cache-dir=$T/third/cache"
[[ -x $tag/linux-amd64/b ]] || fail "it isn't executable any more"
assert_eq "annotation" w "$(getfattr --only-values -n user.oci.annotation.org.example.k "$tag/linux-amd64/b")"
unmount "$tag"
