#!/bin/bash
# cp and mv within a mount, of what is published: the bytes aren't moved, and what comes of it is the
# same as if they were.
. "$(dirname "$0")/lib.sh"

use_store plain
source=$(source_of team/app v1)
tag=$T/v1
folder=$tag/linux-amd64

layer() { # TITLE: its descriptor
    raw_at "$source" "$(raw "$source" | jq -r '.manifests[0].digest')" |
        jq -c --arg t "$1" '.layers[] | select(.annotations["org.opencontainers.image.title"] == $t)'
}

mount_indexfs "$source" "$tag"
mkdir "$folder"
echo one >"$folder/a"
echo '{"a": {"k": "v"}}' >"$folder/notes.txt"
sync "$tag"

say "a copy is of the type that its own name says, whether it was published between or not"
type_of() {
    layer "$1" | jq -r .mediaType
}
echo made >"$folder/made"
for name in made a; do
    cp "$folder/$name" "$folder/$name-copy.json"
    cp "$folder/$name" "$folder/$name-copy.tar"
done
remount "$source" "$tag"
sync "$tag"
for name in made a; do
    assert_eq "$name.json" application/json "$(type_of "$name-copy.json")"
    assert_eq "$name.tar" application/vnd.oci.image.layer.v1.tar "$(type_of "$name-copy.tar")"
done
assert_eq "the original" application/octet-stream "$(type_of a)"
agree "$tag" "$source"
rm "$folder"/*-copy.* "$folder/made"

say "a published file that is copied to annotations.json is taken for that"
cp "$folder/notes.txt" "$folder/annotations.json"
sync "$tag"
assert_eq "the annotation" v "$(layer a | jq -r .annotations.k)"
assert_match "annotations.json" '"k": "v"' "$(cat "$folder/annotations.json")"

say "annotations.json that is renamed to a file is one, with the bytes that it had"
for target in renamed.json sub/annotations.json; do
    mkdir -p "$folder/sub"
    mv "$folder/annotations.json" "$folder/$target"
    sync "$tag"
    assert_eq "the annotation" null "$(layer a | jq -r .annotations.k)"
    assert_match "the file" '"k": "v"' "$(cat "$folder/$target")"
    agree "$tag" "$source"
    printf '{"a":\n{"k":"v"}}' >"$folder/annotations.json"
    [[ $target == sub/* ]] || sync "$tag"
done
mv "$folder/annotations.json" "$folder/as-written"
remount "$source" "$tag"
assert_eq "the text" $'{"a":\n{"k":"v"}}' "$(cat "$folder/as-written")"
sync "$tag"
agree "$tag" "$source"
assert_eq "the annotation" null "$(layer a | jq -r .annotations.k)"

unmount "$tag"

[[ $(id -u) -eq 0 ]] || exit 0
say "a copy that can't be written down is none"
source=$(source_of team/app v2)
small_disk "$T/small" 2m
options=state-dir=$T/small/state,cache-dir=$T/cache-small
mount_indexfs "$source" "$tag" "$options"
mkdir "$folder"
random_file "$folder/a" 5000
: >"$folder/copy"
on_disk() {
    [[ $(grep -ac '^[0-9a-f]* [0-9a-f]* S' "$T"/small/state/*/journal) -ge 2 ]]
}
wait_until 20 on_disk
dd if=/dev/zero of="$T/small/fill" bs=4k 2>/dev/null || true
# until the page that the journal ends in is full
while chmod 755 "$folder/copy" && chmod 644 "$folder/copy"; do :; done 2>/dev/null
assert_fails "the copy" "No space left" python3 - "$folder" <<'P'
import os, sys
source, target = (os.open(sys.argv[1] + name, flags) for name, flags in (("/a", os.O_RDONLY), ("/copy", os.O_WRONLY)))
os.copy_file_range(source, target, 5000)
P
rm "$T/small/fill"
remount "$source" "$tag" "$options"
assert_eq "what couldn't be restored" "[]" "$(jq -c .errors "$tag/.oci/status")"
assert_eq "the copy's size" 0 "$(stat -c %s "$folder/copy")"
cp "$folder/a" "$folder/copy"
remount "$source" "$tag" "$options"
assert_same "$folder/a" "$folder/copy"
sync "$tag"
agree "$tag" "$source"
unmount "$tag"
