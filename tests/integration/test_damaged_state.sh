#!/bin/bash
# A state folder that is damaged: what can't be restored is told of, nothing that was published is
# taken out of the tag for it, and the bytes that are still there stay.
. "$(dirname "$0")/lib.sh"

use_store layout
runs=0

# A tag of its own with a and b in it, published.
begin() {
    runs=$((runs + 1))
    source=$(source_of app "v$runs")
    tag=$T/v$runs
    mount_indexfs "$source" "$tag"
    mkdir "$tag/linux-amd64"
    echo one >"$tag/linux-amd64/a"
    echo two >"$tag/linux-amd64/b"
    setfattr -n user.oci.annotation.k -v v "$tag/linux-amd64/a"
    sync "$tag"
    state=$(echo "$T/state-v$runs"/*)
}

# Spoils the last record of this kind and text, or (cut) all from there on.
spoil() { # KIND TEXT [cut]
    python3 - "$state/journal" "$@" <<'P'
import sys
path, kind, text = sys.argv[1:4]
with open(path, "rb") as file:
    data = bytearray(file.read())
at = data.rindex(b" " + kind.encode() + text.encode())
data[at + 2] ^= 1
if sys.argv[4:]:
    data[at:] = bytes(len(data) - at)
with open(path, "wb") as file:
    file.write(data)
P
}

errors() {
    jq -r '.errors[] | "\(.path): \(.message)"' "$tag/.oci/status"
}

titles() {
    raw_at "$source" "$(raw "$source" | jq -r '.manifests[0].digest')" |
        jq -c '[.layers[].annotations["org.opencontainers.image.title"]]'
}

for how in record cut; do
    say "a journal that was made anew, one $how of it damaged: a published file stays"
    begin
    echo three >"$tag/linux-amd64/c"
    remount "$source" "$tag"
    kill_daemon "$tag"
    if [[ $how == cut ]]; then spoil L linux-amd64/a cut; else spoil L linux-amd64/a; fi
    mount_indexfs "$source" "$tag"
    assert_match "status" "journal is damaged" "$(errors)"
    assert_match "the log" "linux-amd64/a is as it was published" "$(mount_log "$tag")"
    assert_eq "a's annotation" v "$(getfattr --absolute-names --only-values -n user.oci.annotation.k "$tag/linux-amd64/a")"
    sync "$tag"
    [[ $how == cut ]] && expected='["a","b"]' || expected='["a","b","c"]'
    assert_eq "published" "$expected" "$(titles)"
    agree "$tag" "$source"
    remount "$source" "$tag"
    [[ -e $state/journal.damaged ]] || fail "the damaged journal isn't kept"
    [[ $how != cut ]] || assert_eq "c's bytes" three "$(cat "$state"/files/*)"
    unmount "$tag"
done

say "a file saved by way of another name, its record damaged: it's not taken out of the tag"
begin
mv "$tag/linux-amd64/a" "$tag/linux-amd64/a~"
echo changed >"$tag/linux-amd64/a"
rm "$tag/linux-amd64/a~"
kill_daemon "$tag"
spoil F linux-amd64/a
mount_indexfs "$source" "$tag"
assert_eq "a" one "$(cat "$tag/linux-amd64/a")"
sync "$tag"
assert_eq "published" '["a","b"]' "$(titles)"

say "what is removed then is removed for good"
rm "$tag/linux-amd64/a"
kill_daemon "$tag"
mount_indexfs "$source" "$tag"
sync "$tag"
assert_eq "published" '["b"]' "$(titles)"
unmount "$tag"

say "a folder whose record is damaged stays"
begin
mkdir "$tag/linux-arm64"
echo four >"$tag/linux-arm64/d"
remount "$source" "$tag"
kill_daemon "$tag"
spoil E linux-amd64
mount_indexfs "$source" "$tag"
sync "$tag"
assert_eq "folders" "linux-amd64 linux-arm64" "$(ls "$tag" | xargs)"
agree "$tag" "$source"
unmount "$tag"

for made_anew in no yes; do
    say "staged files that have gone, journal made anew: $made_anew: changed files are as published"
    begin
    echo changed >"$tag/linux-amd64/a"
    mv "$tag/linux-amd64/b" "$tag/linux-amd64/moved"
    echo changed >"$tag/linux-amd64/moved"
    echo new >"$tag/linux-amd64/new"
    [[ $made_anew == no ]] || remount "$source" "$tag"
    kill_daemon "$tag"
    rm "$state"/files/*
    mount_indexfs "$source" "$tag"
    assert_match "status" "linux-amd64/new: .*isn't in the state folder any more" "$(errors)"
    assert_eq "contents" "one two" "$(cat "$tag/linux-amd64/a" "$tag/linux-amd64/moved" | xargs)"
    sync "$tag"
    assert_eq "published" '["a","moved"]' "$(titles)"
    unmount "$tag"
done

say "documents that are kept, and damaged, are fetched again"
begin
echo three >"$tag/linux-amd64/c"
kill_daemon "$tag"
for document in "$state"/base/*; do echo >>"$document"; done
mount_indexfs "$source" "$tag"
assert_match "the log" "kept document is damaged.*; fetched instead" "$(mount_log "$tag")"
assert_eq "the files" "a annotations.json b c" "$(ls "$tag/linux-amd64" | xargs)"
kill_daemon "$tag"
mount_indexfs "$source" "$tag"
sync "$tag"
assert_eq "published" '["a","b","c"]' "$(titles)"
agree "$tag" "$source"
unmount "$tag"
