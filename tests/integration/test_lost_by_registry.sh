#!/bin/bash
# A registry that was set up anew, or cleared, behind a mount: a commit sends again what is here of
# all that the tag named, and else says what is missing. A tag that somebody has removed is another
# matter.
. "$(dirname "$0")/lib.sh"

use_store plain
log=${access_log[plain]}
tag=$T/v1

wipe() {
    stop_registry plain
    rm -r "$T/registry-plain/data"
    mkdir "$T/registry-plain/data"
    restart_registry plain
}

unwatched() {
    [[ $(jq .watching "$tag/.oci/status") == false ]]
}

# start REPO [OPTIONS]: a tag of two folders, which the registry then loses.
start() {
    source=$(source_of "$1" v1)
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS,${2-refresh=3600}"
    mkdir -p "$tag/linux-amd64" "$tag/linux-arm64"
    echo "a of $1" >"$tag/linux-amd64/a"
    echo "b of $1" >"$tag/linux-amd64/b"
    echo "arm of $1" >"$tag/linux-arm64/a"
    assert_call ok fsync "$tag"
    wait_until 30 unwatched || fail "still watched"
}

told() { # REGEX
    grep -cE "$1" "$T/v1.log" || true
}

say "what is cached goes again in one commit, each blob once: three files, a new one, the empty config"
start cached
wipe
mark=$(log_mark "$log")
echo new >"$tag/linux-amd64/new"
assert_call ok fsync "$tag"
agree "$tag" "$source"
assert_requests "$log" "$mark" '^PUT /v2/cached/blobs/uploads/UPLOAD 201' 5
assert_requests "$log" "$mark" '^PUT /v2/cached/manifests/v1 201' 1
assert_eq "arm" "arm of cached" "$(cat "$tag/linux-arm64/a")"
assert_eq "told" 1 "$(told 'has lost 4 blobs and 1 manifests')"
mark=$(log_mark "$log")
assert_call ok fsync "$tag"
assert_no_request "$log" "$mark" '^P'

say "so it does where the tag was seen to be gone before"
wait_until 30 unwatched || fail "still watched"
unmount "$tag"
start seen refresh=0
echo new >"$tag/linux-amd64/new"
wipe
seen() {
    ls "$tag" >/dev/null
    [[ $(told 'others have moved v1: it is gone') -eq 1 ]]
}
wait_until 30 seen || fail "it isn't seen"
assert_call ok fsync "$tag"
agree "$tag" "$source"
unmount "$tag"

say "where the cache is on another disk, from the files that were staged"
if [[ $(id -u) -eq 0 ]]; then
    small_disk "$T/disk" 4m
    start staged "refresh=3600,cache-dir=$T/disk/cache"
    wipe
    echo new >"$tag/linux-amd64/new"
    assert_call ok fsync "$tag"
    agree "$tag" "$source"
    unmount "$tag"
fi

say "what isn't here is told by its path, and can be written again, or removed"
start away "refresh=3600,cache-dir=$T/cache-away"
unmount "$tag"
rm -r "$T/cache-away"
mount_indexfs "$source" "$tag" "refresh=3600,cache-dir=$T/cache-away"
[[ $(cat "$tag/linux-amd64/a") == "a of away" ]] || fail "a"
ls -R "$tag" >/dev/null
wipe
echo new >"$tag/linux-amd64/new"
mark=$(log_mark "$log")
assert_call ENOENT fsync "$tag"
message=$(jq -r '.errors[0].message' "$tag/.oci/status")
assert_match "the reason" "^linux-amd64/b: the repository has lost its blob $(digest_of <(echo "b of away"))" "$message"
assert_no_request "$log" "$mark" '^PUT .*/manifests/v1 201'
echo "b of away" >"$tag/linux-amd64/b"
assert_call ENOENT fsync "$tag"
message=$(jq -r '.errors[0].message' "$tag/.oci/status")
assert_match "the reason" "^linux-arm64/a: the repository has lost its blob" "$message"
rm -r "$tag/linux-arm64"
assert_call ok fsync "$tag"
agree "$tag" "$source"
assert_eq "the files" "a b new" "$(ls "$tag/linux-amd64" | xargs)"
unmount "$tag"

say "a blob alone that was lost: the tag stands, and what others have made of it is kept"
start blob
mount_indexfs "$source" "$T/other"
echo s >"$T/s"
mkdir "$T/other/linux-s390x"
cp "$T/s" "$T/other/linux-s390x/app"
assert_call ok fsync "$T/other"
unmount "$T/other"
lost=$(digest_of <(echo "a of blob"))
rm -r "$T/registry-plain/data/docker/registry/v2/repositories/blob/_layers/sha256/${lost#sha256:}"
rm -r "$T/registry-plain/data/docker/registry/v2/blobs/sha256/${lost:7:2}/${lost#sha256:}"
stop_registry plain
restart_registry plain
echo new >"$tag/linux-amd64/new"
assert_call ok fsync "$tag"
agree "$tag" "$source"
assert_same "$T/s" "$tag/linux-s390x/app"
assert_eq "told" 1 "$(told 'has lost 1 blobs and 0 manifests')"
unmount "$tag"

say "a tag that was removed, with its blobs there, is a conflict for the user"
start removed
digest=$(raw "$source" | sha256sum | cut -d' ' -f1)
curl -sSf -X DELETE "http://${host[plain]}/v2/removed/manifests/sha256:$digest"
echo new >"$tag/linux-amd64/new"
assert_call ESTALE fsync "$tag"
! tag_exists "$source" || fail "it was published"
"$INDEXFS" commit --ours "$tag"
agree "$tag" "$source"
unmount "$tag"
