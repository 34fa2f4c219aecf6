#!/bin/bash
# The registry is away for whole sessions: what is copied and edited meanwhile outlives them, and is
# published once it's back.
. "$(dirname "$0")/lib.sh"

use_store plain
source=$(source_of team/app v1)
tag=$T/v1
random_file "$T/app" 300000
random_file "$T/large" 3000000

# Every file and what is in it, and what the annotations say: a commit writes them in its own way.
view() {
    (
        cd "$tag"
        find . -type f ! -name annotations.json -printf '%m %p\n' | sort
        find . -type f ! -name annotations.json -print0 | sort -z | xargs -0 sha256sum
        find . -name annotations.json -printf '%p ' -exec jq -cS . {} \; | sort
    )
}

say "before: a tag with two platforms"
mount_indexfs "$source" "$tag" retries=0
mkdir -p "$tag/linux-amd64/doc" "$tag/linux-arm64"
install -m 755 "$T/app" "$tag/linux-amd64/app"
echo read me >"$tag/linux-amd64/doc/README"
echo old >"$tag/linux-arm64/old"
sync "$tag"

say "the registry goes: copied, edited, renamed, removed, annotated; sync says that nobody answers"
stop_registry plain
cp "$T/large" "$tag/linux-amd64/large"
printf more >>"$tag/linux-amd64/app"
mv "$tag/linux-amd64/doc/README" "$tag/linux-amd64/README"
rm "$tag/linux-arm64/old"
echo new >"$tag/linux-arm64/new"
echo '{"$manifest": {"org.example.k": "v"}, "new": {"k": "w"}}' >"$tag/linux-arm64/annotations.json"
mkdir "$tag/windows-amd64"
cp -a /bin/true "$tag/windows-amd64/true.exe"
assert_call ECONNREFUSED fsync "$tag"
view >"$T/view"

say "another session, away as well: all of it is there, and goes on"
unmount "$tag"
assert_match "what the end says" "changes are not committed; they are kept" "$(mount_log "$tag")"
mount_indexfs "$source" "$tag" retries=0
view | diff "$T/view" - || fail "the second session shows something else"
cp "$T/app" "$tag/linux-arm64/app"
echo '{"org.example.index": "v"}' >"$tag/annotations.json"
printf X | dd of="$tag/linux-amd64/large" bs=1 seek=1000 conv=notrunc status=none
assert_call ECONNREFUSED fsync "$tag/linux-arm64/app"
view >"$T/view"

say "and a third, that ends with kill -9"
remount "$source" "$tag" retries=0
view | diff "$T/view" - || fail "the third session shows something else"
echo last >"$tag/linux-amd64/last"
view >"$T/view"
kill_daemon "$tag"

say "it's back: one sync publishes all of it"
restart_registry plain
mount_indexfs "$source" "$tag" retries=0
view | diff "$T/view" - || fail "something else is there"
sync "$tag"
view | diff "$T/view" - || fail "the commit has changed what is shown"
agree "$tag" "$source"
assert_eq "not committed" "[]" "$(jq -c .uncommitted "$tag/.oci/status")"
assert_eq "staged files left over" "" "$(ls "$T"/state-v1/*/files)"

say "and a mount that knows nothing of it shows the same"
unmount "$tag"
mount_indexfs "$source" "$tag" "state-dir=$T/other-state,cache-dir=$T/other-cache"
view | diff "$T/view" - || fail "another machine sees something else"
unmount "$tag"
