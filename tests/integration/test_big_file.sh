#!/bin/bash
# Takes long: starts first.
# A file of 3 GiB, part real and part holes, goes through the whole chain, in little memory.
. "$(dirname "$0")/lib.sh"

MIB=$((1024 * 1024))
size=3072
limit_kib=$((32 * 1024)) # however large the file
if built_with_sanitizers; then
    size=512 # the way is the same; the time isn't
    limit_kib=0
fi

peak_kib() {
    awk '/^VmHWM/ { print $2 }' "/proc/$(daemon_pid "$1")/status"
}

assert_memory() { # WHAT DIR
    local peak
    peak=$(peak_kib "$2")
    echo "$1: at most $((peak / 1024)) MiB resident"
    [[ $limit_kib -eq 0 || $peak -le $limit_kib ]] || fail "$1: $peak KiB, more than $limit_kib"
}

use_store plain
source=$(source_of app v1)
tag=$T/v1

say "a file of $size MiB: real, a hole, real, a hole, real"
random_file "$T/big" $((192 * MIB))
dd if=/dev/urandom of="$T/big" bs=1M seek=$((size / 2)) count=64 conv=notrunc status=none
truncate -s $((size * MIB - 12345)) "$T/big"
random_file "$T/end" 12345
cat "$T/end" >>"$T/big"
want=$(sha256sum <"$T/big" | cut -d' ' -f1)

say "copied in and published"
mount_indexfs "$source" "$tag"
mkdir "$tag/linux-amd64"
start=$SECONDS
cp "$T/big" "$tag/linux-amd64/big"
assert_eq "size" $((size * MIB)) "$(stat -c %s "$tag/linux-amd64/big")"
echo "cp: $((SECONDS - start)) s"
start=$SECONDS
sync "$tag"
echo "sync: $((SECONDS - start)) s"
assert_memory "writing" "$tag"

say "its digest and its size are the layer's"
pull_manifest=$(raw "$source" | jq -r '.manifests[0].digest')
layer=$(raw "${source%:*}@$pull_manifest" | jq -r '.layers[0] | .digest + " " + (.size | tostring)')
assert_eq "layer" "sha256:$want $((size * MIB))" "$layer"
unmount "$tag"

say "read back by a mount that has nothing cached"
mount_indexfs "$source" "$T/again"
start=$SECONDS
assert_same "$T/big" "$T/again/linux-amd64/big"
echo "cmp: $((SECONDS - start)) s"
assert_memory "reading" "$T/again"
unmount "$T/again"
