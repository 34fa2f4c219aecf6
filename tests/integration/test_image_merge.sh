#!/bin/bash
# An image that several change at once: the config that is published is of the merged layers.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/images.sh
. "$HERE/lib/images.sh"

use_store layout
make_tars
source=$(source_of app v1)
ours=$T/ours theirs=$T/theirs
settle() { "$INDEXFS" commit "$1" "$2" >"$T/said" 2>&1 || fail "$(cat "$T/said")"; }
layers() { image_manifest "$source" "$1" | jq -r '[.layers[].annotations["org.opencontainers.image.title"]] | join(" ")'; }

say "each adds a layer"
mount_indexfs "$source" "$theirs" config=image
mkdir "$theirs/linux-amd64" "$theirs/linux-arm64"
tee "$theirs/linux-amd64/base.tar" "$theirs/linux-arm64/base.tar" <"$T/base.tar" >/dev/null
sync "$theirs"
arm=$(image_digest "$source" arm64)
mount_indexfs "$source" "$ours" refresh=off
ls "$ours/linux-amd64" >/dev/null
cp "$T/more.tar.gz" "$theirs/linux-amd64/"
sync "$theirs"
cp "$T/more.tar.zst" "$ours/linux-amd64/"
sync "$ours"
assert_eq "layers" "base.tar more.tar.gz more.tar.zst" "$(layers amd64)"
assert_eq "diff_ids" "$(digest_of "$T/base.tar") $(digest_of "$T/more.tar") $(digest_of "$T/more.tar")" \
    "$(diff_ids "$source" amd64)"
assert_eq "the other entry" "$arm" "$(image_digest "$source" arm64)"
agree "$ours" "$source"

say "one changes a layer, the other removes one"
remount "$source" "$theirs"
rm "$theirs/linux-amd64/more.tar.zst"
echo other >"$T/more/etc/conf"
tar -C "$T/more" -cf "$T/new.tar" etc
gzip -nk "$T/new.tar"
ls "$ours/linux-amd64" >/dev/null
sync "$theirs"
cp "$T/new.tar.gz" "$ours/linux-amd64/more.tar.gz"
sync "$ours"
assert_eq "layers" "base.tar more.tar.gz" "$(layers amd64)"
assert_eq "diff_ids" "$(digest_of "$T/base.tar") $(digest_of "$T/new.tar")" "$(diff_ids "$source" amd64)"
agree "$ours" "$source"

say "both change the same layer: a conflict of that layer, and what settles it gives a whole image"
remount "$source" "$theirs"
cp "$T/more.tar.gz" "$theirs/linux-amd64/more.tar.gz"
cp "$T/base.tar.zst" "$theirs/linux-amd64/"
cp "$T/base.tar.gz" "$ours/linux-amd64/more.tar.gz"
sync "$theirs"
assert_call ESTALE fsync "$ours"
assert_eq "conflicts" "linux-amd64/more.tar.gz" "$(jq -r '.conflicts[].path' "$ours/.oci/status")"
settle --ours "$ours/linux-amd64/more.tar.gz"
assert_eq "layers" "base.tar more.tar.gz base.tar.zst" "$(layers amd64)"
assert_eq "diff_ids" "$(digest_of "$T/base.tar") $(digest_of "$T/base.tar") $(digest_of "$T/base.tar")" \
    "$(diff_ids "$source" amd64)"
agree "$ours" "$source"
unmount "$ours"
unmount "$theirs"

say "umoci changes the config, we a layer"
make_image "$T/layout/app" umoci amd64 /bin/true
source=$(source_of app umoci) tag=$T/umoci
mount_indexfs "$source" "$tag" refresh=off
ls "$tag/linux-amd64" >/dev/null
umoci config --image "$T/layout/app:umoci" --config.cmd /bin/app --no-history
was=$(diff_ids "$source" amd64)
cp "$T/base.tar.gz" "$tag/linux-amd64/"
sync "$tag"
assert_eq "the config" "/bin/app $was $(digest_of "$T/base.tar")" \
    "$(image_config "$source" amd64 | jq -r '"\(.config.Cmd[0]) \(.rootfs.diff_ids | join(" "))"')"
rm -rf "$T/bundle"
umoci unpack --image "$T/layout/app:umoci" "$T/bundle" >/dev/null
cmp "$T/base/bin/app" "$T/bundle/rootfs/bin/app"
unmount "$tag"
