#!/bin/bash
# A document written in .oci beside what else isn't committed, and would be lost by it: refused when
# it is closed, kept as a draft, and no document is sent to the registry.
. "$(dirname "$0")/lib.sh"

use_store plain
source=$(source_of team/app v1)
tag=$T/v1
log=${access_log[plain]}
kind=application.spdx+json

why() { jq -r '.drafts[].message' "$tag/.oci/status"; }
refused() { # FILE TO WHY: a draft then, and nothing is committed
    if cp "$1" "$2"; then fail "${2##*/} is taken"; fi
    assert_match "why" "$3" "$(why)"
    assert_same "$1" "$2"
    assert_call EINVAL fsync "$tag"
}

mount_indexfs "$source" "$tag" config=image
mkdir "$tag/linux-amd64" "$tag/linux-arm64"
echo amd64 >"$tag/linux-amd64/app"
echo arm64 >"$tag/linux-arm64/app"
sync "$tag"
file=$tag/.oci/index.json

say "an index without a platform to which something is to be attached"
mkdir "$tag/linux-arm64/.oci/referrers/$kind"
echo sbom >"$tag/linux-arm64/.oci/referrers/$kind/sbom.json"
raw "$source" >"$T/published"
jq -c '.manifests |= .[:1]' "$T/published" >"$T/given"
mark=$(log_mark "$log")
refused "$T/given" "$file" 'linux-arm64 .* to be attached .* linux-arm64/.oci/referrers'
assert_no_request "$log" "$mark" '^PUT .*/manifests/'
raw "$source" | cmp - "$T/published" || fail "the tag has moved"

say "one that has it under another platform has lost it as well; one that has it is taken"
jq -c '.manifests[1].platform.architecture = "s390x"' "$T/published" >"$T/renamed"
refused "$T/renamed" "$file" 'linux-arm64 .* to be attached'
jq '.manifests |= reverse' "$T/published" >"$T/reversed"
cp "$T/reversed" "$file"
assert_eq "drafts" "" "$(why)"
refused "$T/given" "$file" 'linux-arm64 .* to be attached'

say "without the attachment it is as it was given"
rm -r "$tag/linux-arm64/.oci/referrers/$kind"
sync "$tag"
raw "$source" | cmp - "$T/given" || fail "the bytes"

say "a config.json, and a manifest that names another config"
file=$tag/linux-amd64/.oci/manifest.json
config=$tag/linux-amd64/.oci/config.json
before=$(jq -r .config.digest "$file")
cp "$file" "$T/published"
jq -c '.author = "by hand"' "$config" >"$T/written"
cp "$T/written" "$config"
jq '.annotations.k = "v"' "$T/published" >"$T/given"
mark=$(log_mark "$log")
refused "$T/given" "$file" "config.json was changed and isn't committed.* or name $(digest_of "$T/written")"
assert_no_request "$log" "$mark" '^PUT .*/manifests/'
assert_same "$T/written" "$config"

say "one that names just that config is taken, and published with it"
jq --arg d "$(digest_of "$T/written")" --argjson s "$(stat -c %s "$T/written")" \
    '.config |= (.digest = $d | .size = $s)' "$T/given" >"$T/named"
cp "$T/named" "$file"
assert_same "$T/written" "$config"
sync "$tag"
assert_eq "published" "$(digest_of "$T/named")" "$(raw "$source" | jq -r '.manifests[0].digest')"
assert_eq "its config" "$(digest_of "$T/written")" "$(digest_of "$config")"

say "once it is committed, another may be named again"
cp "$T/given" "$file"
sync "$tag"
assert_eq "published" "$(digest_of "$T/given")" "$(raw "$source" | jq -r '.manifests[0].digest')"
assert_eq "its config" "$before" "$(digest_of "$config")"
agree "$tag" "$source"
unmount "$tag"
