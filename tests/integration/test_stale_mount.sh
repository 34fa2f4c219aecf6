#!/bin/bash
# What a killed daemon leaves at its mount point goes with the next mount; a mount that lives stays.
. "$(dirname "$0")/lib.sh"

use_store layout
source=$(source_of app v1)
tag=$T/v1
options=state-dir=$T/state,cache-dir=$T/cache
mkdir "$tag"

# In the background: it returns once the mount answers. Sets pid.
mount_at() { # DIR
    "$INDEXFS" "$source" "$1" -o "$options" 2>"$T/said" || fail "mount: $(cat "$T/said")"
    pid=$(jq .pid "$1/.oci/status")
}

kill_served() {
    kill -9 "$pid"
    wait_until 20 dead "$pid"
}

mounts_here() {
    grep -c " $tag .*- fuse.indexfs " /proc/self/mountinfo || true
}

say "after kill -9: the next mount takes the dead one away and shows what wasn't committed"
mount_at "$tag"
mkdir "$tag/linux-amd64"
echo kept >"$tag/linux-amd64/file"
kill_served
assert_eq "what is left" 1 "$(mounts_here)"
assert_call ENOTCONN listdir "$tag"
mount_at "$tag"
assert_eq "mounts" 1 "$(mounts_here)"
assert_eq "the file" kept "$(cat "$tag/linux-amd64/file")"
assert_eq "what it said" \
    "indexfs: $tag: took away what a killed mount had left: $source" "$(head -n 1 "$T/said")"

say "killed a moment after it was looked at, when the kernel still remembers what it saw"
stat "$tag" >/dev/null
kill_served
mount_at "$tag"
assert_eq "mounts" 1 "$(mounts_here)"

say "by another name of the folder"
ln -s "$tag" "$T/link"
kill_served
mount_at "$T/link/"
assert_eq "mounts" 1 "$(mounts_here)"

say "a mount that lives is in the way, and named"
assert_fails "a second one" "is mounted at $tag already; indexfs umount $tag" \
    "$INDEXFS" "$(source_of other v1)" "$tag" -o "state-dir=$T/other,cache-dir=$T/other-cache"
assert_eq "mounts" 1 "$(mounts_here)"
assert_eq "the file" kept "$(cat "$tag/linux-amd64/file")"
"$INDEXFS" umount "$tag"

say "umount takes a dead mount away too"
mount_at "$tag"
kill_served
"$INDEXFS" umount "$tag"
assert_eq "mounts" 0 "$(mounts_here)"

[[ $(id -u) -eq 0 ]] || exit 0
say "what isn't ours is left alone"
mount -t tmpfs indexfs-test "$tag"
tmpfs_mounts+=("$tag")
mount_at "$tag"
assert_eq "mounts" 1 "$(mounts_here)"
"$INDEXFS" umount "$tag"
mountpoint -q "$tag" || fail "the tmpfs is gone"

say "without being root, through fusermount3"
mkdir "$T/dev" "$T/user" "$T/user/v1"
mknod -m 666 "$T/dev/fuse" c 10 229
chown -R nobody "$T/user"
chmod 755 "$T"
cat >"$T/user.sh" <<'END'
set -euo pipefail
options=state-dir=$U/state,cache-dir=$U/cache
"$INDEXFS" "oci:$U/app:v1" "$U/v1" -o "$options"
kill -9 "$(jq .pid "$U/v1/.oci/status")"
until ! ls "$U/v1" >/dev/null 2>&1; do sleep 0.02; done
"$INDEXFS" "oci:$U/app:v1" "$U/v1" -o "$options"
grep -c " $U/v1 .*- fuse.indexfs " /proc/self/mountinfo
"$INDEXFS" umount "$U/v1"
END
out=$(U=$T/user HOME=$T/user INDEXFS=$INDEXFS DROP=$(declare -f drop_copied_mounts) unshare -m bash -c '
    eval "$DROP"; drop_copied_mounts
    mount --bind "$1/dev/fuse" /dev/fuse
    exec setpriv --reuid=nobody --regid=nogroup --clear-groups bash "$1/user.sh"' bash "$T" 2>"$T/said") ||
    fail "as a user: $(cat "$T/said")"
assert_eq "mounts" 1 "$out"
assert_match "what it said" "took away what a killed mount had left" "$(cat "$T/said")"
