#!/bin/bash
# What programs do to files ends up, the same, in an OCI image layout.
. "$(dirname "$0")/lib.sh"
. "$HERE/lib/writers.sh"

writers_on layout

say "umoci lists the tag, and an image that was there before is whole"
make_image "$T/layout/team/app" base amd64 "$T/app"
mount_indexfs "$SOURCE" "$TAG"
cp "$T/other" "$TAG/linux-amd64/last"
sync "$TAG"
agree "$TAG" "$SOURCE"
unmount "$TAG"
assert_eq "umoci ls" "base v1" "$(umoci ls --layout "$T/layout/team/app" | sort | xargs)"
umoci stat --image "$T/layout/team/app:base" >/dev/null
umoci unpack --image "$T/layout/team/app:base" "$T/unpacked" >/dev/null
assert_same "$T/app" "$T/unpacked/rootfs/usr/bin/app"
