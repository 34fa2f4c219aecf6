#!/bin/bash
# -o require=: a commit that would publish an index without one of the platforms publishes nothing.
. "$(dirname "$0")/lib.sh"

use_store plain
source=$(source_of team/app v1)
tag=$T/v1
log=${access_log[plain]}
mkdir -p "$tag"

say "what is no platform is told when it is mounted"
assert_fails "a typo" "require=linux-amd64\+linux-amd46: linux-amd46" \
    "$INDEXFS" "$source" "$tag" -o require=linux-amd64+linux-amd46
assert_fails "no platform at all" "require=notes" "$INDEXFS" "$source" "$tag" -o require=notes

say "one is missing: EINVAL, which says so, and nothing is published"
mount_indexfs "$source" "$tag" require=linux-x86_64+linux-aarch64+any
mark=$(log_mark "$log")
mkdir "$tag/linux-amd64"
cp /bin/true "$tag/linux-amd64/app"
assert_call EINVAL fsync "$tag"
assert_match "the log" "not committed: it would have no linux-arm64, any" "$(mount_log "$tag")"
assert_match "status" "no linux-arm64, any" "$(jq -r '.errors[0].message' "$tag/.oci/status")"
assert_requests "$log" "$mark" "^PUT .*/manifests/" 0
tag_exists "$source" && fail "it was published"

say "with all of them it is published"
mkdir "$tag/any" "$tag/linux-arm64-v8"
cp /bin/true "$tag/any/app"
cp /bin/true "$tag/linux-arm64-v8/app"
assert_call ok fsync "$tag"
agree "$tag" "$source"

say "one may not be removed again, and nothing is said where nothing changes"
rm -r "$tag/any"
assert_call EINVAL fsync "$tag/linux-amd64/app"
assert_eq "entries" 3 "$(raw "$source" | jq '.manifests | length')"
remount "$source" "$tag" require=linux-amd64
assert_call ok fsync "$tag"
assert_eq "entries" 2 "$(raw "$source" | jq '.manifests | length')"
remount "$source" "$tag" require=windows-amd64
assert_call ok fsync "$tag"
unmount "$tag"

say "a tag that is a single manifest has one platform"
make_image "$T/image" amd64 amd64 /bin/true
push "$T/image:amd64" "${host[plain]}/team/single:v1"
mount_indexfs "${host[plain]}/team/single:v1" "$T/single" require=linux-amd64
echo more >"$T/single/linux-amd64/more"
assert_call ok fsync "$T/single"
remount "${host[plain]}/team/single:v1" "$T/single" require=linux-arm64
echo other >"$T/single/linux-amd64/more"
assert_call EINVAL fsync "$T/single"
unmount "$T/single"
