#!/bin/bash
# Documents that break a MUST of the image specification, written in .oci: EINVAL, the reason in the
# status, and the registry isn't sent anything.
. "$(dirname "$0")/lib.sh"

documents=$(dirname "$INDEXFS")/tests/unit/test_model_document_check
[[ -x $documents ]] || fail "$documents isn't built"
mkdir "$T/documents"
"$documents" --write "$T/documents"

use_store plain
source=$(source_of team/app v1)
tag=$T/v1
mount_indexfs "$source" "$tag"
mkdir "$tag/linux-amd64"
echo app >"$tag/linux-amd64/app"
sync "$tag"
raw "$source" >"$T/before"
mark=$(log_mark "${access_log[plain]}")

say "one document for each MUST"
count=$(python3 "$HERE/faulty_documents.py" "$T/documents" "$tag" linux-amd64) || fail "see above"
[[ $count -gt 100 ]] || fail "there were $count documents"
assert_call EINVAL fsync "$tag"
assert_call EINVAL fsync "$tag/linux-amd64/.oci/manifest.json"

rm "$tag/linux-amd64/.oci/manifest.json"

say "nothing at all, too much"
: >"$tag/.oci/index.json"
told() { jq -r '.drafts[] | select(.path == ".oci/index.json").message' "$tag/.oci/status"; }
is_told() { [[ $(told) =~ $1 ]]; }
wait_until 5 is_told "no JSON" || fail "$(told)"
{ printf '{"schemaVersion":2,"manifests":[],"x":"'; head -c 4194304 /dev/zero | tr '\0' x; printf '"}'; } >"$T/large"
assert_fails "4 MiB and more" "File too large" cp "$T/large" "$tag/.oci/index.json"
assert_call EFBIG fsync "$tag"

say "a manifest where an index is to be, and the other way round"
raw_at "$source" "$(jq -r '.manifests[0].digest' "$T/before")" >"$T/manifest"
assert_fails "a manifest" "Invalid argument" cp "$T/manifest" "$tag/.oci/index.json"
assert_match "why" 'it is a manifest, not an index' "$(cat "$tag/.oci/status")"
assert_fails "an index" "Invalid argument" cp "$T/before" "$tag/linux-amd64/.oci/manifest.json"
assert_match "why" 'it is an index, not a manifest' "$(cat "$tag/.oci/status")"

say "given up: the tag is what it was, and nothing was sent"
rm "$tag/.oci/index.json" "$tag/linux-amd64/.oci/manifest.json"
sync "$tag"
assert_no_request "${access_log[plain]}" "$mark" '^(PUT|POST|PATCH|DELETE)'
raw "$source" | cmp - "$T/before" || fail "the tag"
assert_same "$T/before" "$tag/.oci/index.json"
assert_eq "drafts" "[] []" "$(jq -c '.drafts' "$tag/.oci/status") $(jq -c .uncommitted "$tag/.oci/status")"
unmount "$tag"
