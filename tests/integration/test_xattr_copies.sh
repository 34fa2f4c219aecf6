#!/bin/bash
# Programs that copy files with their attributes: annotations go along, into a mount, within it, from
# one to another and out of it; nothing fails, nothing is complained of.
. "$(dirname "$0")/lib.sh"

use_store layout
source=$(source_of app v1)
other=$(source_of app v2)
tag=$T/v1
amd64=$tag/linux-amd64 arm64=$tag/linux-arm64
name=user.oci.annotation.org.example.k

mkdir -p "$T/plain/share"
setfattr -n user.test -v x "$T/plain" 2>/dev/null || skip "no user attributes on the disk of $T"
setfattr -x user.test "$T/plain"
random_file "$T/plain/app" 30000
echo read >"$T/plain/share/README"
setfattr -n $name -v of-app "$T/plain/app"
setfattr -n $name -v of-readme "$T/plain/share/README"

annotations() { # FOLDER: of its layers, as annotations.json tells them
    jq -cS . "$1/annotations.json" 2>/dev/null || echo none
}

quietly() { # COMMAND...: exit status 0, and nothing on standard error
    "$@" 2>"$T/said" || fail "$*: exit $?: $(cat "$T/said")"
    assert_eq "what $1 says" "" "$(cat "$T/said")"
}

fresh() { # an empty folder
    rm -rf "$amd64" "$arm64"
    mkdir "$amd64" "$arm64"
}

mount_indexfs "$source" "$tag"
all='{"app":{"org.example.k":"of-app"},"share/README":{"org.example.k":"of-readme"}}'

say "into the mount"
fresh
quietly cp -a "$T/plain/." "$amd64/"
assert_eq "cp -a" "$all" "$(annotations "$amd64")"
fresh
quietly cp -r --preserve=xattr "$T/plain/." "$amd64/"
assert_eq "cp --preserve=xattr" "$all" "$(annotations "$amd64")"
fresh
quietly rsync -aX "$T/plain/" "$amd64/"
assert_eq "rsync -X" "$all" "$(annotations "$amd64")"
quietly rsync -aX "$T/plain/" "$amd64/"
assert_eq "what another rsync would change" "" "$(rsync -aXni "$T/plain/" "$amd64/" | grep -v '^\.d' || true)"
fresh
tar -C "$T/plain" --xattrs -cf "$T/plain.tar" .
quietly tar -C "$amd64" --xattrs -xf "$T/plain.tar"
assert_eq "tar --xattrs" "$all" "$(annotations "$amd64")"
rmdir "$arm64"
sync "$tag"
agree "$tag" "$source"

say "within it, and what is uncommitted beside what is published"
mkdir "$arm64"
quietly cp -a "$amd64/." "$arm64/"
assert_eq "cp -a of what is published" "$all" "$(annotations "$arm64")"
setfattr -n user.oci.mediatype -v application/vnd.example.app "$arm64/app"
quietly cp -a "$arm64/app" "$arm64/copy"
assert_eq "cp -a of what isn't" application/vnd.example.app \
    "$(getfattr --only-values --absolute-names -n user.oci.mediatype "$arm64/copy")"
quietly rsync -aX "$arm64/" "$tag/linux-riscv64/"
assert_eq "rsync -X" "$(annotations "$arm64")" "$(annotations "$tag/linux-riscv64")"
rm -r "$tag/linux-riscv64"
sync "$tag"
agree "$tag" "$source"

say "over a file that is there: what it was annotated with is replaced, not lost"
setfattr -n $name -v new "$T/plain/app"
quietly rsync -aX "$T/plain/" "$arm64/"
assert_eq "rsync -X" new "$(jq -r '.app["org.example.k"]' "$arm64/annotations.json")"
rm "$T/plain/app"
random_file "$T/plain/app" 20000
quietly rsync -a "$T/plain/" "$arm64/"
assert_eq "rsync without -X" new "$(jq -r '.app["org.example.k"]' "$arm64/annotations.json")"

say "removed in the source: another rsync -X removes it here"
quietly rsync -aX "$T/plain/" "$arm64/"
quietly rsync -aX "$T/plain/" "$arm64/"
assert_eq "rsync -X" null "$(jq -r '.app["org.example.k"]' "$arm64/annotations.json")"

say "a file waits at the top of the tag, or under a scratch name, on its way to another folder"
fresh
quietly cp -a "$T/plain/share/README" "$amd64/README"
setfattr -n $name -v of-readme "$amd64/README"
mv "$amd64/README" "$tag/README"
assert_eq "it has left" "{}" "$(annotations "$amd64")"
mv "$tag/README" "$arm64/README"
assert_eq "it has arrived" '{"README":{"org.example.k":"of-readme"}}' "$(annotations "$arm64")"
cp -a "$arm64/README" "$amd64/README.part"
assert_eq "not of a layer" "{}" "$(annotations "$amd64")"
kill_daemon "$tag"
mount_indexfs "$source" "$tag"
mv "$amd64/README.part" "$amd64/README"
assert_eq "under its name" "$(annotations "$arm64")" "$(annotations "$amd64")"

say "from one mount to another"
mount_indexfs "$other" "$T/v2"
quietly cp -a "$amd64" "$T/v2/"
quietly mv "$arm64/README" "$T/v2/linux-amd64/moved"
assert_eq "cp -a and mv" \
    '{"README":{"org.example.k":"of-readme"},"moved":{"org.example.k":"of-readme"}}' \
    "$(annotations "$T/v2/linux-amd64")"
sync "$T/v2"
agree "$T/v2" "$other"

say "out of it, and in again"
quietly cp -a "$T/v2/linux-amd64" "$T/out"
assert_eq "on an ordinary disk" "$name" \
    "$(python3 -c 'import os, sys; print(*os.listxattr(sys.argv[1]))' "$T/out/README")"
mkdir "$T/v2/linux-arm64"
quietly rsync -aX "$T/out/" "$T/v2/linux-arm64/"
assert_eq "and in again" "$(annotations "$T/v2/linux-amd64")" "$(annotations "$T/v2/linux-arm64")"
unmount "$T/v2"
unmount "$tag"
