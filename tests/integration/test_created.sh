#!/bin/bash
# What new documents look like, and when they say that they were made: by default nothing that equal
# input wouldn't give again.
. "$(dirname "$0")/lib.sh"

use_store layout
made=0

# publish TAG-OPTIONS: a new tag with one file; sets tag, source, manifest.
publish() {
    made=$((made + 1))
    tag=$T/v$made source=$(source_of app "v$made") manifest=$T/v$made/linux-amd64/.oci/manifest.json
    mount_indexfs "$source" "$tag" "$@"
    mkdir "$tag/linux-amd64"
    echo app >"$tag/linux-amd64/app"
    sync "$tag"
}
created() { jq -r '.annotations["org.opencontainers.image.created"]' "$manifest"; }
digest() { cat "$tag/.oci/digest"; }
refused() { # OPTION PATTERN
    assert_fails "$1" "$2" "$INDEXFS" "$(source_of app v1)" "$T" -o "$1"
}

say "no time by default: the same again has the same digest"
publish
assert_eq "created" null "$(created)"
plain=$(digest)
unmount "$tag"
publish created=none,json=compact
assert_eq "the digest" "$plain" "$(digest)"
unmount "$tag"

say "SOURCE_DATE_EPOCH, and options before it"
export SOURCE_DATE_EPOCH=86400
publish
assert_eq "created" 1970-01-02T00:00:00Z "$(created)"
first=$(digest)
unmount "$tag"
publish
assert_eq "the digest" "$first" "$(digest)"
unmount "$tag"
publish created=172800
assert_eq "created" 1970-01-03T00:00:00Z "$(created)"
unmount "$tag"
publish created=none
assert_eq "the digest" "$plain" "$(digest)"
unmount "$tag"
unset SOURCE_DATE_EPOCH

say "created=now is when it's committed, for all that a commit makes, and only for that"
publish created=now
old=$(created) untouched=$(sha256sum <"$manifest")
while [[ $(date -u +%FT%TZ) == "$old" ]]; do sleep 0.1; done
begun=$(date -u +%FT%TZ)
mkdir "$tag/linux-arm64" "$tag/linux-s390x"
tee "$tag/linux-arm64/app" "$tag/linux-s390x/app" <<<new >/dev/null
sync "$tag"
assert_eq "what has not changed" "$untouched" "$(sha256sum <"$manifest")"
manifest=$tag/linux-arm64/.oci/manifest.json
[[ ! $(created) < $begun ]] || fail "made at $(created), after $begun"
assert_eq "the other" "$(created)" \
    "$(jq -r '.annotations["org.opencontainers.image.created"]' "$tag/linux-s390x/.oci/manifest.json")"
assert_eq "the index" null "$(jq -r .annotations "$tag/.oci/index.json")"
agree "$tag" "$source"
unmount "$tag"

say "a time that is there stays, where nobody asks for another"
mount_indexfs "$source" "$tag"
before=$(created)
echo more >>"$tag/linux-arm64/app"
sync "$tag"
assert_eq "created" "$before" "$(created)"
unmount "$tag"

say "json=pretty is what json.tool makes, without a newline at the end"
publish json=pretty,created=0
for document in "$manifest" "$tag/.oci/index.json"; do
    python3 -c 'import json, sys; sys.stdout.write(json.dumps(json.load(open(sys.argv[1])), indent=2))' \
        "$document" | cmp - "$document" || fail "not pretty"
done
echo '{"$manifest": {"b": "1"}, "app": {"c": "2"}}' >"$tag/linux-amd64/annotations.json"
sync "$tag"
python3 -c 'import json, sys; sys.stdout.write(json.dumps(json.load(open(sys.argv[1])), indent=2))' \
    "$manifest" | cmp - "$manifest" || fail "not pretty when it's changed"
unmount "$tag"

say "a document that is there keeps its style"
mount_indexfs "$source" "$tag" json=compact
mkdir "$tag/linux-arm64"
echo new >"$tag/linux-arm64/app"
echo more >>"$tag/linux-amd64/app"
sync "$tag"
for document in "$manifest" "$tag/.oci/index.json"; do
    jq --indent 2 . "$document" | head -c -1 | cmp - "$document" || fail "not pretty any more"
done
jq -c . "$tag/linux-arm64/.oci/manifest.json" | head -c -1 |
    cmp - "$tag/linux-arm64/.oci/manifest.json" || fail "the new one isn't compact"
agree "$tag" "$source"
unmount "$tag"

say "what can't be meant"
refused created=yesterday "created=yesterday: it takes now, none, or seconds since 1970"
refused created=-1 "created=-1: it takes"
refused created=999999999999 "created=999999999999: it takes"
refused json=yaml "json=yaml: it takes compact or pretty"
SOURCE_DATE_EPOCH=now refused json=compact "SOURCE_DATE_EPOCH=now: it takes seconds since 1970"
