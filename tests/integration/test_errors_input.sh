#!/bin/bash
# What a user can get wrong: refused with EINVAL, said in the log, nothing lost, and mended in place.
. "$(dirname "$0")/lib.sh"

random_file "$T/app" 50000
use_store layout
source=$(source_of app v1)
tag=$T/v1
titles() {
    pull "$source" "$T/pulled"
    jq -r '.layers[].annotations["org.opencontainers.image.title"]' "$T"/pulled/*.manifest.json | sort | xargs
}

mount_indexfs "$source" "$tag"
mkdir "$tag/linux-amd64"
cp "$T/app" "$tag/linux-amd64/app"

say "a folder that isn't a platform"
assert_call EINVAL mkdir "$tag/notes"
assert_match "the log" "notes" "$(mount_log "$tag")"
assert_match "the log in the mount" "notes" "$(cat "$tag/.oci/log")"
assert_call EINVAL mkdir "$tag/-amd64"
assert_call ok mkdir "$tag/plan9-mips64@v4" # unusual, and well-formed
rmdir "$tag/plan9-mips64@v4"

say "another spelling makes, and opens, the canonical folder"
mkdir "$tag/linux-aarch64"
assert_exists "$tag/linux-arm64"
assert_eq "folders" "linux-amd64 linux-arm64" "$(ls "$tag" | xargs)"
assert_call EEXIST mkdir "$tag/linux_arm64"
rmdir "$tag/linux-arm64"

say "annotations that aren't JSON: close says so, the text stays, nothing is committed"
file=$tag/linux-amd64/annotations.json
assert_call "close EINVAL" put "$file" '{"org.example.key": "value",}'
assert_eq "the draft" '{"org.example.key": "value",}' "$(cat "$file")"
assert_match "the log" "line 1" "$(mount_log "$tag")"
assert_call EINVAL fsync "$file"
assert_call EINVAL fsync "$tag"
tag_exists "$source" && fail "a commit happened"

say "a wrong shape, and a key twice"
assert_call "close EINVAL" put "$file" '["a"]'
assert_call "close EINVAL" put "$file" '{"$descriptor": {"a": 1}}'
assert_call "close EINVAL" put "$file" '{"a": "1", "a": "2"}'
assert_call "close EINVAL" put "$tag/annotations.json" '{"a": {"b": "c"}}'
assert_call EINVAL fsync "$tag"

say "mended: the same sync works"
assert_call ok put "$tag/annotations.json" '{"a": "b"}'
assert_call EINVAL fsync "$tag" # the platform's draft is still broken
assert_call ok put "$file" '{"org.example.key": "value"}'
assert_call ok fsync "$tag"
agree "$tag" "$source"

say "every way in which editors save"
printf '{"saved": "by rename"}' >"$tag/linux-amd64/.annotations.json.tmp"
mv "$tag/linux-amd64/.annotations.json.tmp" "$file"
sync "$tag"
agree "$tag" "$source"
sed -i 's/by rename/by sed/' "$file"
sync "$file"
agree "$tag" "$source"
assert_eq "in the manifest list" "by sed" "$(raw "$source" | jq -r '.manifests[0].annotations.saved')"
mv "$file" "$file~"
cp "$file~" "$file"
rm "$file~"
sync "$tag"
agree "$tag" "$source"

say "removing the file removes the annotations"
rm "$file" "$tag/annotations.json"
sync "$tag"
agree "$tag" "$source"
assert_eq "annotations" "null null" \
    "$(raw "$source" | jq -r '(.manifests[0].annotations|tostring) + " " + (.annotations|tostring)')"

say "a file at the top is in no platform: a commit names it and waits"
raw "$source" >"$T/before"
cp "$T/app" "$tag/stray"
echo more >"$tag/linux-amd64/more"
assert_call EINVAL fsync "$tag"
assert_match "the log" "stray" "$(mount_log "$tag")"
raw "$source" | cmp - "$T/before" || fail "a commit happened"
mv "$tag/stray" "$tag/linux-amd64/stray"
assert_call ok fsync "$tag"
agree "$tag" "$source"

say "scratch files are never published, and are once they have an ordinary name"
for name in .app.swp 4913 'app~' '.#app' '#app#' app.part .DS_Store .goutputstream-ABC .app.Xy12Zw; do
    echo scratch >"$tag/linux-amd64/$name"
    sync "$tag/linux-amd64/$name"
done
echo scratch >"$tag/.hidden.swp"
sync "$tag"
assert_eq "layers" "app more stray" "$(titles)"
mv "$tag/linux-amd64/app.part" "$tag/linux-amd64/whole"
sync "$tag"
assert_eq "layers" "app more stray whole" "$(titles)"

say "an empty folder is left out of a commit"
mkdir "$tag/linux-riscv64"
sync "$tag"
assert_eq "entries" "amd64" "$(raw "$source" | jq -r '.manifests[].platform.architecture' | xargs)"
unmount "$tag"
