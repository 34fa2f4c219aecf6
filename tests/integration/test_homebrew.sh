#!/bin/bash
# Takes long: starts first.
# -o profile=homebrew: bottles and their tabs, copied into a mount, are what Homebrew's own publisher
# would have pushed, byte for byte. homebrew.py makes both by itself.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/images.sh
. "$HERE/lib/images.sh"

use_store layout
python3 "$HERE/homebrew.py" "$T/homebrew"

# open_formula NAME [STORE]: sets formula, source and tag, and mounts it.
open_formula() {
    formula=$T/homebrew/$1
    source=$(source_of "brew/$1" "$(cat "$formula/tag")")
    tag=$T/$1
    mapfile -t folders <"$formula/order"
    mount_indexfs "$source" "$tag" profile=homebrew
}
put_bottle() { cp -r "$formula/mount/$1" "${2:-$tag}/"; }

# What the registry has under the entry of that number is what was wanted of that folder.
assert_bottle() { # NUMBER FOLDER
    local digest
    digest=$(raw "$source" | jq -r ".manifests[$1].digest")
    stored "$source" "$digest" | cmp - "$formula/want/$2/manifest.json" || fail "the manifest of $2"
    digest=$(stored "$source" "$digest" | jq -r .config.digest)
    stored "$source" "$digest" | cmp - "$formula/want/$2/config.json" || fail "the config of $2"
}
assert_index() {
    local i
    raw "$source" | cmp - "$formula/want/index.json" || fail "the index"
    for i in "${!folders[@]}"; do assert_bottle "$i" "${folders[i]}"; done
}
refused() { # PATTERN: a commit, for that reason
    assert_call EINVAL fsync "$tag"
    assert_match "status" "$1" "$(jq -r '.errors[0].message' "$tag/.oci/status")"
    ! tag_exists "$source" || fail "something was published"
}

say "seven bottles of a core formula, the last for all; a rebuild; a license over 255 bytes"
open_formula core
cp "$formula/mount/annotations.json" "$tag/"
for folder in "${folders[@]}"; do put_bottle "$folder"; done
sync "$tag"
assert_index
agree "$tag" "$source"
assert_eq "the tab" "$(jq -c '.["sh.brew.tab"] | fromjson | keys' <(jq '.["$descriptor"]' "$tag/any/annotations.json"))" \
    '["changed_files","compiler","homebrew_version","runtime_dependencies","source_modified_time"]'
remount "$source" "$tag" profile=homebrew
assert_call ok fsync "$tag"
assert_index

say "one of them changed and changed back is what it was, the others aren't touched"
linux=${folders[4]} all=any
setfattr -n user.oci.annotation.org.example.k -v v "$tag/$linux" "$tag/$all"
sync "$tag"
assert_eq "in the entry and its manifest" "v v" "$(raw "$source" | jq -r '.manifests[4].annotations["org.example.k"]'
    ) $(stored "$source" "$(raw "$source" | jq -r '.manifests[4].digest')" | jq -r '.annotations["org.example.k"]')"
for i in 0 1 2 3 5; do assert_bottle "$i" "${folders[i]}"; done
for folder in "$linux" "$all"; do
    jq 'del(.["$descriptor", "$manifest"]["org.example.k"])' "$tag/$folder/annotations.json" >"$T/notes"
    cp "$T/notes" "$tag/$folder/annotations.json"
done
sync "$tag"
assert_index

say "a subject that was set stays when the bottle is made anew"
raw "$source" | jq -r '.manifests[0].digest' >"$tag/$linux/.oci/subject"
sync "$tag"
setfattr -n user.oci.annotation.org.example.k -v v "$tag/$linux"
sync "$tag"
assert_eq "the subject" "$(raw "$source" | jq -r '.manifests[0].digest')" \
    "$(stored "$source" "$(raw "$source" | jq -r '.manifests[4].digest')" | jq -r .subject.digest)"

say "a manifest that is written by hand is published as it stands"
jq -c . "$tag/$linux/.oci/manifest.json" >"$T/given.json"
cp "$T/given.json" "$tag/$linux/.oci/manifest.json"
sync "$tag"
assert_eq "the entry" "$(digest_of "$T/given.json")" "$(raw "$source" | jq -r '.manifests[4].digest')"
agree "$tag" "$source"
unmount "$tag"

say "a formula of a tap, and a mount that is killed before its commit"
open_formula tap
for folder in "${folders[@]}"; do put_bottle "$folder"; done
cp "$formula/mount/annotations.json" "$tag/"
kill_daemon "$tag"
mount_indexfs "$source" "$tag" profile=homebrew
sync "$tag"
assert_index
unmount "$tag"

say "bottles that are added, by two mounts at once: what is there keeps its bytes"
open_formula added
cp "$formula/mount/annotations.json" "$tag/"
for folder in "${folders[@]:0:3}"; do put_bottle "$folder"; done
sync "$tag"
raw "$source" | cmp - "$formula/base.json" || fail "the index of three"
mount_indexfs "$source" "$T/other" profile=homebrew,refresh=off
ls "$T/other" >/dev/null
for folder in "${folders[@]:3:2}"; do put_bottle "$folder"; done
for folder in "${folders[@]:5}"; do put_bottle "$folder" "$T/other"; done
sync "$tag"
sync "$T/other"
assert_index
agree "$T/other" "$source"
unmount "$T/other"
unmount "$tag"

say "what is wrong is said, and nothing is published"
open_formula core
unmount "$tag"
source=$(source_of brew/wrong "$(cat "$formula/tag")") tag=$T/wrong
mount_indexfs "$source" "$tag" profile=homebrew
mkdir "$tag/linux-amd64"
assert_call ok fsync "$tag" # nothing to publish yet
rmdir "$tag/linux-amd64"
put_bottle "$linux"
refused "annotations.json: org.opencontainers.image.title is missing: the full name"
cp "$formula/mount/annotations.json" "$tag/"
bottle=$(basename "$tag/$linux/"*.tar.gz)
mv "$tag/$linux/$bottle" "$tag/$linux/widget.tar.gz"
refused "$linux: \"widget.tar.gz\" isn't the name of a bottle of widget@2 1.2.3_1: widget@2--1.2.3_1.TAG.bottle.2.tar.gz"
mv "$tag/$linux/widget.tar.gz" "$tag/$linux/$bottle"
mv "$tag/$linux" "$tag/linux-arm64"
refused "linux-arm64: by its name and sh.brew.tab this bottle belongs in the folder \"$linux\""
mv "$tag/linux-arm64" "$tag/$linux"
cp "$tag/$linux/$bottle" "$tag/$linux/copy.tar.gz"
refused "$linux: Homebrew has one bottle for each platform, here are 2 files"
rm "$tag/$linux/copy.tar.gz"
jq 'del(.["$descriptor"]["sh.brew.tab"])' "$formula/mount/$linux/annotations.json" >"$tag/$linux/annotations.json"
refused "$linux: annotations.json: .descriptor has no sh.brew.tab"
cp "$formula/mount/$linux/annotations.json" "$tag/$linux/"
head -c 100 "$formula/mount/$linux/$bottle" >"$tag/$linux/$bottle"
refused "$linux/$bottle: .*(gzip|too early|short)"
chmod 755 "$tag/$linux/$bottle"
cp "$formula/mount/$linux/$bottle" "$tag/$linux/"
sync "$tag"
assert_bottle 0 "$linux"
unmount "$tag"
assert_fails "profile=" "profile=debian: it takes homebrew" "$INDEXFS" "$source" "$tag" -o profile=debian
