#!/bin/bash
# mount -t indexfs, fstab and umount: through mount.indexfs, as make install lays it out.
if [[ ${INDEXFS_OWN_NAMESPACE-} != 1 && $(id -u) -eq 0 ]]; then
    # an /sbin, a passwd and an fstab of this test alone
    export INDEXFS_OWN_NAMESPACE=1
    exec unshare -m "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
[[ $(id -u) -eq 0 ]] || skip "mount wants root"
drop_copied_mounts

say "what make install installs"
make -s -C "$ROOT" -o all BUILD="$(dirname "$INDEXFS")" DESTDIR="$T/dest" PREFIX=/usr install >/dev/null
assert_same "$INDEXFS" "$T/dest/usr/bin/indexfs"
assert_eq "mount.indexfs" /usr/bin/indexfs "$(readlink "$T/dest/sbin/mount.indexfs")"
for file in man/man1/indexfs.1 man/man8/mount.indexfs.8 bash-completion/completions/indexfs; do
    assert_exists "$T/dest/usr/share/$file"
done

mkdir "$T/sbin" "$T/root"
ln -s "$INDEXFS" "$T/sbin/mount.indexfs"
mount -t overlay overlay -o "lowerdir=$T/sbin:$(realpath /sbin)" "$(realpath /sbin)" || skip "no overlay filesystem"
# At boot nobody has a HOME: what root keeps is where passwd says.
printf 'root:x:0:0:root:%s:/bin/sh\n' "$T/root" >"$T/passwd"
mount --bind "$T/passwd" /etc/passwd
source=oci:$T/layout:v1
tag=$T/v1
mkdir "$tag"
bare() { # COMMAND...: with the environment that a machine has when it boots
    env -i PATH="$PATH" ASAN_OPTIONS="${ASAN_OPTIONS-}" "$@"
}

say "mount and umount"
bare mount -t indexfs "$source" "$tag"
mountpoint -q "$tag" || fail "nothing is mounted"
assert_eq "the type" "fuse.indexfs $source" "$(findmnt -n -o FSTYPE,SOURCE "$tag" | xargs)"
mkdir "$tag/linux-amd64"
echo one >"$tag/linux-amd64/one"
sync "$tag"
echo two >"$tag/linux-amd64/two"
pid=$(jq .pid "$tag/.oci/status")
assert_exists "$T/root/.local/state/indexfs"
umount "$tag"
wait_until 20 dead "$pid" || fail "the program is still there"

say "from fstab, with what is said there to others"
printf '%s %s indexfs %s 0 0\n' "$source" "$tag" \
    "ro,noauto,user,_netdev,nofail,x-systemd.automount,x-more=1,comment=hello,noatime,nosuid,timeout=9" >"$T/fstab"
mount --bind "$T/fstab" /etc/fstab
bare mount "$tag"
assert_match "its options" "(^|,)ro(,|$)" "$(findmnt -n -o OPTIONS "$tag")"
assert_match "its options" "noatime" "$(findmnt -n -o OPTIONS "$tag")"
assert_eq "a file" one "$(cat "$tag/linux-amd64/one")"
assert_call EROFS create "$tag/linux-amd64/other"
umount "$tag"

say "defaults, and a change that waits"
printf '%s %s indexfs defaults 0 0\n' "$source" "$tag" >"$T/fstab"
bare mount -a -t indexfs
assert_eq "what isn't published" two "$(cat "$tag/linux-amd64/two")"
sync "$tag"
agree "$tag" "$source"
assert_fails "remount" "can't be changed" bare mount -o remount,noexec "$tag"
umount "$tag"

say "the exit statuses of mount(8)"
status_of() {
    local status=0
    "$@" >"$T/out" 2>&1 || status=$?
    echo "$status"
}
assert_eq "a failure" 32 "$(status_of bare mount -t indexfs "localhost:1/a/b:v1" "$tag")"
assert_match "the reason" "refused" "$(cat "$T/out")"
assert_eq "a wrong option" 1 "$(status_of bare mount -t indexfs -o jsom=pretty "$source" "$tag")"
assert_match "the reason" "did you mean json" "$(cat "$T/out")"
assert_eq "fake" 0 "$(status_of bare mount -f -t indexfs "$source" "$tag")"
assert_eq "called by hand" 1 "$(status_of /sbin/mount.indexfs "$source")"
mountpoint -q "$tag" && fail "something is mounted"
for mounted in /etc/fstab /etc/passwd "$(realpath /sbin)"; do umount "$mounted"; done
