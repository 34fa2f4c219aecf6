#!/bin/bash
# A platform folder behaves as a folder does.
. "$(dirname "$0")/lib.sh"

use_store layout
source=$(source_of app v1)
tag=$T/v1
d=$tag/linux-amd64
mount_indexfs "$source" "$tag"
mkdir "$d"

say "an open file that is unlinked, or renamed, goes on"
python3 - "$d" <<'EOF'
import os, sys
os.chdir(sys.argv[1])
f = open("gone", "w+b")
f.write(b"still here")
f.flush()
os.unlink("gone")
assert not os.path.exists("gone")
f.seek(0)
assert f.read() == b"still here"
f.write(b" and written")
f.flush()
assert os.fstat(f.fileno()).st_nlink == 0, os.fstat(f.fileno())
f.close()
assert os.listdir() == [], os.listdir()

f = open("old", "w+b")
f.write(b"one")
f.flush()
os.rename("old", "new")
f.write(b" two")
f.close()
assert open("new", "rb").read() == b"one two"

# Renaming over an open file leaves the reader what it had.
f = open("new", "rb")
open("other", "wb").write(b"replaced")
os.rename("other", "new")
assert f.read() == b"one two"
assert open("new", "rb").read() == b"replaced"
EOF

say "renames with flags"
echo a >"$d/a"
echo b >"$d/b"
assert_call EEXIST rename-noreplace "$d/a" "$d/b"
assert_call ok rename-noreplace "$d/a" "$d/c"
rm "$d/b" "$d/c" "$d/new"

say "nested folders"
mkdir -p "$d/one/two/three"
assert_call ENOTEMPTY rmdir "$d/one"
echo deep >"$d/one/two/three/file"
assert_call ENOTEMPTY rmdir "$d/one/two/three"
assert_call EISDIR unlink "$d/one"
assert_call ENOTDIR rmdir "$d/one/two/three/file"
assert_call EINVAL rename "$d/one" "$d/one/two/inside"
mv "$d/one/two/three/file" "$d/up"
assert_call ok rmdir "$d/one/two/three"
rm -r "$d/one"
assert_call EEXIST mkdir "$d"
assert_call ENOENT stat "$d/nothing"
assert_call ENOENT mkdir "$d/nothing/below"
assert_call EEXIST create "$d/up"

say "what isn't allowed here"
assert_call EPERM link "$d/up" "$d/hard"
assert_call EPERM symlink up "$d/soft"
assert_call EPERM mkfifo "$d/fifo"
assert_call EPERM mknod "$d/null"
assert_call EPERM socket "$d/socket"

say "modes: the execute bit is kept, all else is the mount's"
printf '#!/bin/sh\necho it runs\n' >"$d/program"
chmod 755 "$d/program"
assert_eq "run from the mount" "it runs" "$("$d/program")"
chmod 4755 "$d/up"
assert_eq "no set-user-ID" 755 "$(stat -c %a "$d/up")"
chmod 644 "$d/up"

say "times can be set"
touch -d '2020-02-03 04:05:06 UTC' "$d/up"
assert_eq "mtime" "2020-02-03" "$(date -u -r "$d/up" +%F)"

say "statfs and st_blksize"
assert_eq "block size of files" 1048576 "$(stat -c %o "$d/up")"
assert_call ok statvfs "$tag"
[[ $(stat -f -c %a "$tag") -gt 0 ]] || fail "no free blocks"

say "names"
names=("with space" "quote'\"" "ünïcödé ⛵" "-dash" '$dollar' 'back\slash' "$(printf 'n%.0s' {1..255})" ".hidden")
for name in "${names[@]}"; do
    printf %s "$name" >"$d/$name"
done
for name in "${names[@]}"; do
    assert_eq "content" "$name" "$(cat -- "$d/$name")"
done
assert_call ENAMETOOLONG create "$d/$(printf 'n%.0s' {1..256})"

say "sparse files, truncation, reading past the end"
python3 - "$d/sparse" <<'EOF'
import os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_CREAT)
os.pwrite(fd, b"end", 10_000_000)
assert os.pread(fd, 4, 5_000_000) == b"\0" * 4
assert os.pread(fd, 10, 10_000_000) == b"end"
assert os.pread(fd, 10, 20_000_000) == b""
os.ftruncate(fd, 100)
os.ftruncate(fd, 200)
assert os.pread(fd, 1000, 0) == b"\0" * 200
os.ftruncate(fd, 0)
fd2 = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND)
os.write(fd, b"11111")
os.write(fd2, b"22")
assert os.pread(fd, 100, 0) == b"1111122"
EOF

say "many writers at once"
pids=()
for i in 1 2 3 4 5 6 7 8; do
    python3 - "$d/shared" "$i" <<'EOF' &
import os, sys
n = int(sys.argv[2])
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT, 0o644)
for block in range(50):
    os.pwrite(fd, bytes([n]) * 1000, (block * 8 + n - 1) * 1000)
os.close(fd)
EOF
    pids+=($!)
done
for pid in "${pids[@]}"; do
    wait "$pid"
done
python3 - "$d/shared" <<'EOF'
import sys
data = open(sys.argv[1], "rb").read()
assert data == b"".join(bytes([i % 8 + 1]) * 1000 for i in range(400)), "blocks are missing"
EOF

say "all of it is published and comes back"
sync "$tag"
agree "$tag" "$source"
remount "$source" "$tag"
agree "$tag" "$source"
assert_eq "run from the mount" "it runs" "$("$d/program")"
for name in "${names[@]}"; do
    assert_eq "content" "$name" "$(cat -- "$d/$name")"
done

say "a platform folder that is renamed changes the entry's platform"
mv "$d" "$tag/linux-arm64"
sync "$tag"
assert_eq "platform" "arm64" "$(raw "$source" | jq -r '.manifests[].platform.architecture')"
agree "$tag" "$source"
unmount "$tag"
