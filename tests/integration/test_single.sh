#!/bin/bash
# A tag that is a single manifest: edited in its folder it stays one; a second folder makes an index
# of it, in which the old manifest is what it was.
. "$(dirname "$0")/lib.sh"

use_store plain
log=${access_log[plain]}

python3 - "$HERE" "$T/layout" <<'P'
import sys
sys.path.insert(0, sys.argv[1])
from foreign import *
layout = Layout(sys.argv[2])
config = layout.put("application/vnd.oci.image.config.v1+json", json.dumps({"created": "2020-01-02T03:04:05Z",
    "architecture": "arm", "variant": "v7", "os": "linux", "rootfs": {"type": "layers", "diff_ids": []}}))
layout.tag("image", layout.put(MANIFEST, '{ "x": [1.0],\n "layers":[ %s ],\n  "config" :%s,"schemaVersion":2,"mediaType":"%s"}' % (
    json.dumps(layout.blob(b"layer", "app")), json.dumps(config), MANIFEST)))
layout.tag("artifact", layout.manifest([layout.blob(b"text", "README")], annotations={"a": "1"}))
P

start() { # TAG FOLDER: a tag of its own, mounted
    tag=$T/$1-$2
    source=$(source_of team/app "$1-$2")
    push "$T/layout:$1" "$source"
    mount_indexfs "$source" "$tag"
    raw "$source" >"$T/before"
    before=sha256:$(sha256sum <"$T/before" | cut -d' ' -f1)
}
layer_digests() { (cd "$tag"/linux-arm-v7 && sha256sum app new | sed 's/ .*//; s/^/sha256:/' | xargs); }
root() { raw "$source" | jq -r "$1"; }
manifest() { raw "${source%:*}@$1"; }

say "shown by its config's platform; one without an image config is any"
start image edited
assert_eq "folders" linux-arm-v7 "$(ls "$tag")"
assert_eq "index.json is the manifest" "$before" "sha256:$(sha256sum <"$tag/.oci/index.json" | cut -d' ' -f1)"

say "edited in its folder: a file, its annotations, the manifest's, the config's: a manifest still"
echo more >>"$tag/linux-arm-v7/app"
echo '{"$manifest": {"m": "1"}, "$config": {"c": "2"}, "app": {"l": "3"}}' >"$tag/linux-arm-v7/annotations.json"
echo new >"$tag/linux-arm-v7/new"
mkdir "$tag/linux-amd64" # with nothing in it
sync "$tag"
assert_eq "what it is" "application/vnd.oci.image.manifest.v1+json app new 1 2 3" \
    "$(root '"\(.mediaType) \(.layers[0].annotations["org.opencontainers.image.title"]) \(.layers[1].annotations["org.opencontainers.image.title"]) \(.annotations.m) \(.config.annotations.c) \(.layers[0].annotations.l)"')"
blob() { skopeo inspect --tls-verify=false --config --raw "docker://$source"; }
assert_eq "its config, in step with its layers" "arm v7 2020-01-02T03:04:05Z $(layer_digests)" \
    "$(blob | jq -r '"\(.architecture) \(.variant) \(.created) \(.rootfs.diff_ids | join(" "))"')"
assert_match "its spacing, and what isn't known" '^\{ "x": \[1\.0\],$' "$(raw "$source" | sed -n 1p)"
rmdir "$tag/linux-amd64"
agree "$tag" "$source"
rm "$tag/linux-arm-v7/annotations.json"
sync "$tag"
assert_eq "what it is" "application/vnd.oci.image.manifest.v1+json" "$(root .mediaType)"
unmount "$tag"

say "a second folder: an index, and nothing is sent again"
start image grown
mark=$(log_mark "$log")
mkdir "$tag/linux-amd64"
echo second >"$tag/linux-amd64/app"
sync "$tag"
assert_eq "entries" "$before linux/arm/v7 linux/amd64/null" \
    "$(root '[.manifests[0].digest] + [.manifests[].platform | "\(.os)/\(.architecture)/\(.variant)"] | join(" ")')"
manifest "$before" | cmp - "$T/before" || fail "the old manifest"
assert_requests "$log" "$mark" 'PUT .*/blobs/uploads/' 2 # the second's file, its empty config
assert_requests "$log" "$mark" 'PUT .*/manifests/' 2 # the second, the index
agree "$tag" "$source"

say "and an index it stays"
rm -r "$tag/linux-amd64"
sync "$tag"
assert_eq "entries" "$before" "$(root '.manifests[].digest')"
remount "$source" "$tag"
assert_eq "folders" linux-arm-v7 "$(ls "$tag")"
unmount "$tag"

say "grown and edited at once, killed before it's committed"
start image both
echo more >>"$tag/linux-arm-v7/app"
mkdir "$tag/linux-amd64"
echo second >"$tag/linux-amd64/app"
kill_daemon "$tag"
mount_indexfs "$source" "$tag"
sync "$tag"
assert_eq "platforms" "arm amd64" "$(root '[.manifests[].platform.architecture] | join(" ")')"
manifest "$(root '.manifests[0].digest')" >"$T/manifest"
skopeo inspect --tls-verify=false --config --raw "docker://${source%:*}@$(root '.manifests[0].digest')" >"$T/first-config.json"
assert_eq "the first's config" "arm v7 $(jq -r '.layers[0].digest' "$T/manifest")" \
    "$(jq -r '"\(.architecture) \(.variant) \(.rootfs.diff_ids[0])"' "$T/first-config.json")"
agree "$tag" "$source"
unmount "$tag"

say "what only an index can say: of the tag, of the entry, of its platform"
start artifact annotated
assert_eq "folders" any "$(ls "$tag")"
echo '{"i": "1"}' >"$tag/annotations.json"
sync "$tag"
assert_eq "the index" "1 $before null" "$(root '"\(.annotations.i) \(.manifests[0].digest) \(.manifests[0].platform)"')"
unmount "$tag"
start artifact entry
setfattr -n user.oci.annotation.d -v 1 "$tag/any"
sync "$tag"
assert_eq "the index" "1 $before" "$(root '"\(.manifests[0].annotations.d) \(.manifests[0].digest)"')"
unmount "$tag"
start artifact platform
mv "$tag/any" "$tag/linux-riscv64"
sync "$tag"
assert_eq "the index" "riscv64 $before" "$(root '"\(.manifests[0].platform.architecture) \(.manifests[0].digest)"')"
agree "$tag" "$source"
unmount "$tag"
