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

say "layers in another order by a manifest that was given, and one added: each has its own diff_id"
source=$(source_of team/app given) tag=$T/given
folder=$tag/linux-amd64 manifest=$tag/linux-amd64/.oci/manifest.json
mount_indexfs "$source" "$tag" config=image
mkdir "$folder"
cp "$T/base.tar.gz" "$T/more.tar.gz" "$folder/"
sync "$tag"
give() { # FILTER [OPTION...]: a change of the manifest
    jq -c "${@:2}" "$1" "$manifest" >"$T/given.json"
    cp "$T/given.json" "$manifest"
}
mark=$(log_mark "$log")
give '.layers |= reverse'
echo text >"$T/README.txt"
cp "$T/README.txt" "$folder/README"
sync "$tag"
assert_requests "$log" "$mark" 'GET .*/blobs/' 0
assert_eq "diff_ids" "$(digest_of "$T/more.tar") $(digest_of "$T/base.tar") $(digest_of "$T/README.txt")" \
    "$(diff_ids "$source" amd64)"

say "its folder renamed, too: the config that this makes is of these layers"
give '.layers |= reverse'
mv "$folder" "$tag/linux-arm64"
sync "$tag"
assert_eq "diff_ids" "$(digest_of "$T/README.txt") $(digest_of "$T/base.tar") $(digest_of "$T/more.tar")" \
    "$(diff_ids "$source" arm64)"
mv "$tag/linux-arm64" "$folder"
sync "$tag"

say "a layer overwritten, named by a manifest that was given, and a file removed"
echo third >"$T/more/etc/conf"
tar -C "$T/more" -cf "$T/third.tar" etc
gzip -nk "$T/third.tar"
cp "$T/third.tar.gz" "$folder/base.tar.gz"
give '.layers[1] |= (.digest = $digest | .size = $size)' --arg digest "$(digest_of "$T/third.tar.gz")" \
    --argjson size "$(stat -c %s "$T/third.tar.gz")"
rm "$folder/README"
sync "$tag"
assert_eq "diff_ids" "$(digest_of "$T/third.tar") $(digest_of "$T/more.tar")" "$(diff_ids "$source" amd64)"
unpack_image "$source" amd64
agree "$tag" "$source"

say "a manifest that was given with fewer layers than its config tells of, as it is, isn't published"
before=$(image_digest "$source" amd64)
mark=$(log_mark "$log")
give '.layers |= .[:1]'
assert_call EINVAL fsync "$tag"
assert_match "why" "linux-amd64/.oci/manifest.json: config: rootfs.diff_ids of sha256:[0-9a-f]*: there are 2, and 1 layers" \
    "$(cat "$tag/.oci/status")"
assert_no_request "$log" "$mark" '^(PUT|POST|PATCH)'
assert_eq "published" "$before" "$(image_digest "$source" amd64)"

say "with a config for these layers it is"
jq -c '.rootfs.diff_ids |= .[:1]' "$folder/.oci/config.json" >"$T/written.json"
cp "$T/written.json" "$folder/.oci/config.json"
sync "$tag"
assert_eq "diff_ids" "$(digest_of "$T/third.tar")" "$(diff_ids "$source" amd64)"
unpack_image "$source" amd64
agree "$tag" "$source"
unmount "$tag"
