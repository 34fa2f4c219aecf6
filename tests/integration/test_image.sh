#!/bin/bash
# -o config=image: what is copied into a new folder is an image, as skopeo and umoci see it.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/images.sh
. "$HERE/lib/images.sh"

use_store layout
make_tars
source=$(source_of app v1)
tag=$T/v1

say "two platforms: a tar and a .tar.gz; a .tar.gz and a .tar.zst"
mount_indexfs "$source" "$tag" config=image
mkdir "$tag/linux-amd64" "$tag/linux-arm64-v8"
cp "$T/base.tar" "$T/more.tar.gz" "$tag/linux-amd64/"
cp "$T/base.tar.gz" "$T/more.tar.zst" "$tag/linux-arm64-v8/"
sync "$tag"
both="[\"$(digest_of "$T/base.tar")\",\"$(digest_of "$T/more.tar")\"]"
assert_eq "amd64" '{"architecture":"amd64","os":"linux","rootfs":{"type":"layers","diff_ids":'"$both}}" \
    "$(image_config "$source" amd64)"
assert_eq "arm64" '{"architecture":"arm64","os":"linux","variant":"v8","rootfs":{"type":"layers","diff_ids":'"$both}}" \
    "$(image_config "$source" arm64)"
assert_eq "a manifest" "application/vnd.oci.image.config.v1+json null tar tar+gzip" \
    "$(image_manifest "$source" amd64 | jq -r '"\(.config.mediaType) \(.artifactType) \([.layers[].mediaType | sub(".*v1."; "")] | join(" "))"')"
assert_eq "its entry" null "$(raw "$source" | jq .manifests[0].artifactType)"
agree "$tag" "$source"

say "copied by skopeo, and unpacked by umoci"
for arch in amd64 arm64; do
    unpack_image "$source" "$arch"
    cmp "$T/base/bin/app" "$T/bundle/rootfs/bin/app"
    cmp "$T/more/etc/conf" "$T/bundle/rootfs/etc/conf"
done
skopeo copy --quiet --all "$source" "oci:$T/copied:v1"
stored "oci:$T/copied:v1" "$(digest_of "$T/more.tar.zst")" | cmp - "$T/more.tar.zst"

say "the same again has the same digest; pretty is laid out, and artifact-type is told"
mount_indexfs "$(source_of app same)" "$T/same" config=image
cp -r "$tag/." "$T/same"
sync "$T/same"
assert_eq "the digest" "$(cat "$tag/.oci/digest")" "$(cat "$T/same/.oci/digest")"
unmount "$T/same"
mount_indexfs "$(source_of app pretty)" "$T/pretty" config=image,json=pretty,artifact-type=application/x
cp -r "$tag/linux-amd64" "$T/pretty"
sync "$T/pretty"
assert_eq "the config" "$(image_config "$source" amd64 | jq --indent 2 .)" "$(image_config "$(source_of app pretty)" amd64)"
assert_eq "the type" application/x "$(image_manifest "$(source_of app pretty)" amd64 | jq -r .artifactType)"
unmount "$T/pretty"

say "kill -9 between cp and sync"
mkdir "$tag/linux-s390x"
cp "$T/base.tar.gz" "$tag/linux-s390x/"
kill_daemon "$tag"
mount_indexfs "$source" "$tag" config=image
sync "$tag"
assert_eq "diff_ids" "$(digest_of "$T/base.tar")" "$(diff_ids "$source" s390x)"
unpack_image "$source" s390x
cmp "$T/base/bin/app" "$T/bundle/rootfs/bin/app"

say "a damaged layer: said where, and nothing is published"
digest=$(cat "$tag/.oci/digest")
head -c 200000 "$T/base.tar.gz" >"$tag/linux-s390x/base.tar.gz"
echo "no zstd" >"$tag/linux-amd64/bad.tar.zst"
assert_call EINVAL fsync "$tag"
assert_match "status" "linux-amd64/bad.tar.zst: " "$(jq -r '.errors[].message' "$tag/.oci/status")"
rm "$tag/linux-amd64/bad.tar.zst"
assert_call EINVAL fsync "$tag"
assert_match "status" "linux-s390x/base.tar.gz: " "$(jq -r '.errors[].message' "$tag/.oci/status")"
assert_eq "the tag" "$digest" "$(digest_of <(raw "$source"))"
cp "$T/base.tar.gz" "$tag/linux-s390x/"
assert_call ok fsync "$tag"

say "without a platform it's no image; one with another config keeps it"
mkdir "$tag/any"
cp "$T/more.tar.gz" "$tag/any/"
sync "$tag"
none=$(raw "$source" | jq -r '.manifests[] | select(.platform == null) | .digest')
assert_eq "any" application/vnd.oci.empty.v1+json "$(stored "$source" "$none" | jq -r .config.mediaType)"
mv "$tag/any" "$tag/plan9-386"
cp "$T/base.tar.gz" "$tag/plan9-386/"
sync "$tag"
assert_eq "renamed" application/vnd.oci.empty.v1+json "$(image_manifest "$source" 386 | jq -r .config.mediaType)"
agree "$tag" "$source"
unmount "$tag"

say "what the option takes"
assert_fails "config=" "config=docker: it takes empty or image" "$INDEXFS" "$source" "$tag" -o config=docker
