#!/bin/bash
# 2,000 files in a folder: each is listed once, also while others come and go.
. "$(dirname "$0")/lib.sh"

use_store layout
source=$(source_of app v1)
tag=$T/v1
d=$tag/linux-amd64
mount_indexfs "$source" "$tag"
mkdir "$d"

say "made and listed"
python3 - "$d" <<'EOF'
import os, sys
os.chdir(sys.argv[1])
want = sorted(f"file-{i:04}" for i in range(2000))
for name in want:
    with open(name, "w") as file:
        file.write(name)
assert sorted(os.listdir()) == want
# What is there all the time is listed exactly once while other names come and go.
listing = os.scandir()
seen = [next(listing).name for _ in range(500)]
for i in range(0, 2000, 2):
    os.unlink(f"file-{i:04}")
for i in range(100):
    open(f"new-{i:04}", "w").close()
seen += [entry.name for entry in listing]
stay = [name for name in want if int(name[5:]) % 2]
assert len(seen) == len(set(seen)), "a name twice"
assert set(stay) <= set(seen), "a name is missing"
assert sorted(os.listdir()) == sorted(stay + [f"new-{i:04}" for i in range(100)])
EOF
assert_eq "ls" 1100 "$(ls "$d" | wc -l)"

say "published, and listed after a new mount"
sync "$tag"
remount "$source" "$tag"
assert_eq "ls" 1100 "$(ls -l "$d" | grep -c '^-')"
cat "$d"/file-* | fold -w 9 | sort | cmp - <(seq -f 'file-%04g' 1 2 1999) || fail "content"
# skopeo takes a minute for as many layers; the manifest says the same.
assert_eq "layers" 1100 "$(jq '.layers | length' "$d/.oci/manifest.json")"
unmount "$tag"
