#!/bin/bash
# Takes long: starts first.
# Images that are there stay images when they're changed: their configs follow their layers and their
# folders' names, with no more read than that needs.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/images.sh
. "$HERE/lib/images.sh"

use_store plain
make_tars
source=$(source_of team/app v1)
log=${access_log[plain]}
tag=$T/v1

mount_indexfs "$source" "$tag" config=image
mkdir "$tag/linux-amd64" "$tag/linux-arm64-v8"
cp "$T/base.tar" "$T/more.tar.gz" "$tag/linux-amd64/"
cp "$T/base.tar.gz" "$T/more.tar.zst" "$tag/linux-arm64-v8/"
sync "$tag"

say "one layer overwritten, without the option: the config follows, and the others aren't fetched"
unmount "$tag"
rm -rf "$T/cache-v1"
mount_indexfs "$source" "$tag"
mark=$(log_mark "$log")
echo other >"$T/more/etc/conf"
tar -C "$T/more" -cf "$T/more.tar" etc
gzip -nkf "$T/more.tar"
arm=$(image_digest "$source" arm64)
cp "$T/more.tar.gz" "$tag/linux-amd64/more.tar.gz"
sync "$tag"
assert_requests "$log" "$mark" 'GET .*/blobs/' 1 # the config
assert_requests "$log" "$mark" 'PUT .*/blobs/uploads/' 2 # the layer, the config
assert_eq "diff_ids" "$(digest_of "$T/base.tar") $(digest_of "$T/more.tar")" "$(diff_ids "$source" amd64)"
assert_eq "the other entry" "$arm" "$(image_digest "$source" arm64)"
unpack_image "$source" amd64
cmp "$T/more/etc/conf" "$T/bundle/rootfs/etc/conf"

say "annotations are nothing to an image's config"
mark=$(log_mark "$log")
setfattr -n user.oci.annotation.k -v v "$tag/linux-arm64-v8/base.tar.gz"
before=$(image_config "$source" arm64)
sync "$tag"
assert_requests "$log" "$mark" 'PUT .*/blobs/uploads/' 0
assert_eq "the config" "$before" "$(image_config "$source" arm64)"

say "renamed: another platform's, of the same layers"
mv "$tag/linux-arm64-v8" "$tag/linux-riscv64"
sync "$tag"
assert_eq "the config" "$(jq -c '.architecture = "riscv64" | del(.variant)' <<<"$before")" "$(image_config "$source" riscv64)"
agree "$tag" "$source"

say "a layer removed, one that is no tar and counts as it is, one moved here"
rm "$tag/linux-amd64/base.tar"
echo text >"$tag/linux-amd64/README"
mv "$tag/linux-riscv64/base.tar.gz" "$tag/linux-amd64/"
sync "$tag"
assert_eq "diff_ids" "$(digest_of "$T/base.tar") $(digest_of "$T/more.tar") $(digest_of "$tag/linux-amd64/README")" \
    "$(diff_ids "$source" amd64)"
skopeo copy --quiet --override-os linux --override-arch amd64 --src-tls-verify=false "docker://$source" "dir:$T/copied"
agree "$tag" "$source"
unmount "$tag"

say "umoci's image: a layer is replaced, and all else in its config stays"
source=$(source_of team/app umoci) tag=$T/umoci
rm -rf "$T/bundle"
make_image "$T/layout" it amd64 /bin/true
umoci config --image "$T/layout:it" --config.cmd /bin/app
push "$T/layout:it" "$source"
before=$(image_config "$source" amd64)
mount_indexfs "$source" "$tag"
layer=$(ls "$tag/linux-amd64")
cp "$T/base.tar.gz" "$tag/linux-amd64/$layer"
sync "$tag"
assert_eq "the config" "$(jq -c --arg d "$(digest_of "$T/base.tar")" '.rootfs.diff_ids = [$d]' <<<"$before")" \
    "$(image_config "$source" amd64 | jq -c .)"
unpack_image "$source" amd64
cmp "$T/base/bin/app" "$T/bundle/rootfs/bin/app"

say "its config written by hand, and a layer added: both are in the config that is published"
jq -c '.author = "by hand"' "$tag/linux-amd64/.oci/config.json" >"$T/written.json"
cp "$T/written.json" "$tag/linux-amd64/.oci/config.json"
cp "$T/more.tar.gz" "$tag/linux-amd64/"
sync "$tag"
assert_eq "the config" "by hand $(digest_of "$T/base.tar") $(digest_of "$T/more.tar")" \
    "$(image_config "$source" amd64 | jq -r '"\(.author) \(.rootfs.diff_ids | join(" "))"')"

say "its folder renamed: a single manifest still, of another platform"
mv "$tag/linux-amd64" "$tag/linux-arm-v6"
sync "$tag"
assert_eq "the platform" "arm v6" "$(image_config "$source" arm | jq -r '"\(.architecture) \(.variant)"')"
assert_eq "a manifest" true "$(raw "$source" | jq 'has("layers")')"
remount "$source" "$tag"
assert_eq "folders" linux-arm-v6 "$(ls "$tag")"
agree "$tag" "$source"
unmount "$tag"
