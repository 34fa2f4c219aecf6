#!/bin/bash
# A power cut: what was closed a moment before is there and whole; of what may not be whole nothing
# is published before somebody has looked at it. Another boot id is what tells of the cut.
if [[ ${INDEXFS_OWN_NAMESPACE-} != 1 && $(id -u) -eq 0 ]]; then
    # the boot id of this test alone
    export INDEXFS_OWN_NAMESPACE=1
    exec unshare -m "$0" "$@"
fi
. "$(dirname "$0")/lib.sh"
[[ $(id -u) -eq 0 ]] || skip "another boot id needs root"
drop_copied_mounts

boots=0
new_boot() {
    boots=$((boots + 1))
    umount /proc/sys/kernel/random/boot_id 2>/dev/null || true
    printf '%08d-0000-4000-8000-000000000000\n' "$boots" >"$T/boot"
    cp "$T/boot" "$T/boot.$boots"
    mount --bind "$T/boot.$boots" /proc/sys/kernel/random/boot_id
}

# The power comes back.
cut_power() {
    kill_daemon "$tag"
    new_boot
    mount_indexfs "$source" "$tag"
}

doubtful() {
    jq -c .doubtful "$tag/.oci/status"
}

# Whether the journal says that so many files are on disk.
on_disk() { # COUNT
    [[ $(grep -ac '^[0-9a-f]* [0-9a-f]* S' "$T"/state-v1/*/journal) -ge $1 ]]
}

use_store layout
source=$(source_of app v1)
tag=$T/v1
new_boot

say "what was closed is on disk soon, and known to be; after the cut it is published"
mount_indexfs "$source" "$tag"
mkdir "$tag/linux-amd64"
random_file "$tag/linux-amd64/app" 100000
cp "$tag/linux-amd64/app" "$T/app"
echo two >"$tag/linux-amd64/two"
wait_until 20 on_disk 2 || fail "nothing is on disk"
cut_power
assert_eq "doubtful" "[]" "$(doubtful)"
assert_same "$T/app" "$tag/linux-amd64/app"
assert_call ok fsync "$tag"
agree "$tag" "$source"

say "what a kill has kept from the disk is put there by the next mount"
echo three >"$tag/linux-amd64/three"
kill_daemon "$tag"
mount_indexfs "$source" "$tag"
wait_until 20 on_disk 1 || fail "nothing is on disk"
cut_power
assert_eq "doubtful" "[]" "$(doubtful)"
assert_eq "three" three "$(cat "$tag/linux-amd64/three")"
assert_call ok fsync "$tag"

say "also after an unmount that comes at once, and when the journal was made anew"
for i in $(seq 40); do echo "$i" >"$tag/linux-amd64/f$i"; done
unmount "$tag"
new_boot
mount_indexfs "$source" "$tag"
assert_eq "doubtful" "[]" "$(doubtful)"
unmount "$tag"
new_boot
mount_indexfs "$source" "$tag"
assert_eq "doubtful" "[]" "$(doubtful)"
assert_call ok fsync "$tag"
agree "$tag" "$source"

say "what was just being written is shown, told of, and not published, however often it's mounted"
raw "$source" >"$T/before"
python3 - "$tag/linux-amd64" <<'P' &
import os, sys, time
os.chdir(sys.argv[1])
files = [os.open(name, os.O_WRONLY | os.O_CREAT, 0o644) for name in ("new", "two", ".swap.swp")]
for fd in files:
    os.write(fd, b"half")
open(".ready.swp", "w").close()
time.sleep(600)
P
writer=$!
wait_until 20 test -e "$tag/linux-amd64/.ready.swp"
kill_daemon "$tag"
kill "$writer"
wait "$writer" || true
new_boot
mount_indexfs "$source" "$tag"
assert_eq "doubtful" '["linux-amd64/two","linux-amd64/new"]' "$(doubtful)"
assert_match "the log" "linux-amd64/new may not be whole: this machine went down" "$(mount_log "$tag")"
assert_eq "it is there" half "$(cat "$tag/linux-amd64/new")"
assert_call EINVAL fsync "$tag"
assert_match "status" "maybe not whole, .* touch, rewrite or remove it: linux-amd64/new" "$("$INDEXFS" status "$tag")"
unmount "$tag"
new_boot
mount_indexfs "$source" "$tag"
assert_eq "doubtful" '["linux-amd64/two","linux-amd64/new"]' "$(doubtful)"
raw "$source" | cmp - "$T/before" || fail "it was published"

say "in the modes that publish by themselves it waits too"
remount "$source" "$tag" commit=close
waits() { jq -e '.next_commit.error // "" | test("2 files may not be whole")' "$tag/.oci/status" >/dev/null; }
wait_until 20 waits || fail "status: $(cat "$tag/.oci/status")"
remount "$source" "$tag"

say "touched, rewritten or removed it is as good as any"
touch "$tag/linux-amd64/new"
assert_eq "doubtful" '["linux-amd64/two"]' "$(doubtful)"
kill_daemon "$tag"
mount_indexfs "$source" "$tag"
assert_eq "after a kill" '["linux-amd64/two"]' "$(doubtful)"
echo whole >"$tag/linux-amd64/two"
rm "$tag"/linux-amd64/.*.swp
assert_eq "doubtful" '[]' "$(doubtful)"
assert_call ok fsync "$tag"
agree "$tag" "$source"
assert_eq "new" half "$(cat "$tag/linux-amd64/new")"

say "within one life of the machine nothing is in doubt"
python3 - "$tag/linux-amd64/open" <<'P' &
import os, sys, time
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o644)
os.write(fd, b"all of it")
time.sleep(600)
P
writer=$!
wait_until 20 test -s "$tag/linux-amd64/open"
kill_daemon "$tag"
kill "$writer"
wait "$writer" || true
mount_indexfs "$source" "$tag"
assert_eq "doubtful" "[]" "$(doubtful)"
assert_call ok fsync "$tag"
agree "$tag" "$source"

say "a file that is on disk and is written again is in doubt while it's written"
echo durable >"$tag/linux-amd64/again"
wait_until 20 on_disk 1 || fail "nothing is on disk"
python3 - "$tag/linux-amd64/again" <<'P' &
import os, sys, time
fd = os.open(sys.argv[1], os.O_WRONLY)
os.write(fd, b"DURable")
open(os.path.dirname(sys.argv[1]) + "/.ready2.swp", "w").close()
time.sleep(600)
P
writer=$!
wait_until 20 test -e "$tag/linux-amd64/.ready2.swp"
kill_daemon "$tag"
kill "$writer"
wait "$writer" || true
new_boot
mount_indexfs "$source" "$tag"
assert_eq "doubtful" '["linux-amd64/again"]' "$(doubtful)"
rm "$tag/linux-amd64/again" "$tag/linux-amd64/.ready2.swp"
assert_call ok fsync "$tag"
agree "$tag" "$source"

say "what was replaced goes from the disk once what replaces it is there"
echo one >"$tag/linux-amd64/doc"
wait_until 20 on_disk 1 || fail "nothing is on disk"
one=$(ls "$T"/state-v1/*/files)
echo two >"$tag/linux-amd64/doc.tmp"
mv "$tag/linux-amd64/doc.tmp" "$tag/linux-amd64/doc"
is_replaced() { [[ $(ls "$T"/state-v1/*/files) != *$one* && $(ls "$T"/state-v1/*/files | wc -l) -eq 1 ]]; }
wait_until 20 is_replaced || fail "files: $(ls "$T"/state-v1/*/files)"
cut_power
assert_eq "doc" two "$(cat "$tag/linux-amd64/doc")"
assert_eq "doubtful" "[]" "$(doubtful)"

say "a journal that has grown is made anew, and tells the same"
echo last >"$tag/linux-amd64/last"
python3 - "$tag/linux-amd64" <<'P'
import os, sys
os.chdir(sys.argv[1])
name = "last"
for i in range(16000):
    os.rename(name, f"a-name-that-is-rather-long-so-that-the-journal-grows-{i}")
    name = f"a-name-that-is-rather-long-so-that-the-journal-grows-{i}"
os.rename(name, "last")
P
is_small() { [[ $(stat -c %s "$T"/state-v1/*/journal) -lt 1100000 ]]; }
wait_until 30 is_small || fail "the journal has $(stat -c %s "$T"/state-v1/*/journal) bytes"
kill_daemon "$tag"
mount_indexfs "$source" "$tag"
assert_eq "last" last "$(cat "$tag/linux-amd64/last")"
assert_call ok fsync "$tag"
agree "$tag" "$source"
unmount "$tag"
umount /proc/sys/kernel/random/boot_id
