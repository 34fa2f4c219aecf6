#!/bin/bash
# A tag is composed step by step, and then seen by everybody at once.
. "$(dirname "$0")/lib.sh"

use_store plain
source=$(source_of team/app v1)
log=${access_log[plain]}
tag=$T/v1
random_file "$T/app-amd64" 200000
random_file "$T/app-arm64" 210000

say "a tag that doesn't exist is an empty, writable folder"
mount_indexfs "$source" "$tag"
assert_eq "ls" "" "$(ls -A "$tag")"

say "two platforms, files, annotations"
mark=$(log_mark "$log")
mkdir "$tag/linux-amd64" "$tag/linux-arm64"
assert_eq "a new folder" "" "$(ls -A "$tag/linux-amd64")"
cp "$T/app-amd64" "$tag/linux-amd64/app"
cp "$T/app-arm64" "$tag/linux-arm64/app"
chmod +x "$tag"/linux-*/app
mkdir -p "$tag/linux-amd64/share/doc"
echo "read me" >"$tag/linux-amd64/share/doc/README"
cat >"$tag/linux-amd64/annotations.json" <<EOF
{ "\$descriptor": {"org.example.os": "any linux"},
  "\$manifest": {"org.opencontainers.image.version": "1.0", "org.example.text": "caf\u00e9 \"quoted\""},
  "\$config": {"org.example.config": ""},
  "app": {"org.example.kind": "program"} }
EOF
echo '{"org.example.flat": "all strings"}' >"$tag/linux-arm64/annotations.json"
echo '{"org.opencontainers.image.title": "app", "org.example.index": "yes"}' >"$tag/annotations.json"
assert_eq "text just written" '{"org.example.flat": "all strings"}' \
    "$(cat "$tag/linux-arm64/annotations.json")"

say "nothing is there for anybody else yet"
sleep 0.3 # time for a background upload to do what it must not
tag_exists "$source" && fail "the tag exists before the commit"
assert_no_request "$log" "$mark" "PUT .*/manifests/"

say "sync publishes all of it"
sync "$tag"
agree "$tag" "$source"
assert_same "$T/app-amd64" "$tag/linux-amd64/app"
raw "$source" >"$T/index"
assert_eq "the index's media type" "application/vnd.oci.image.index.v1+json" \
    "$(jq -r .mediaType "$T/index")"
assert_eq "platforms, in the order of their making" "linux/amd64 linux/arm64" \
    "$(jq -r '.manifests[].platform | .os + "/" + .architecture' "$T/index" | xargs)"
assert_eq "an annotation of the entry" "any linux" \
    "$(jq -r '.manifests[0].annotations["org.example.os"]' "$T/index")"
assert_eq "an annotation of the index" "yes" \
    "$(jq -r '.annotations["org.example.index"]' "$T/index")"

say "a commit without a change asks little and moves nothing"
mark=$(log_mark "$log")
sync "$tag" "$tag/linux-amd64/app" "$tag/linux-arm64"
assert_no_request "$log" "$mark" "(PUT|POST|PATCH|DELETE) "
raw "$source" | cmp - "$T/index"

say "the same on another tag has the same digest"
mount_indexfs "$(source_of team/app v2)" "$T/v2"
mkdir "$T/v2/linux-amd64" "$T/v2/linux-arm64"
cp -a "$tag/linux-amd64/." "$T/v2/linux-amd64/"
cp -a "$tag/linux-arm64/." "$T/v2/linux-arm64/"
cp "$tag/annotations.json" "$T/v2/annotations.json"
sync "$T/v2"
agree "$T/v2" "$(source_of team/app v2)"
assert_eq "layers" "$(jq -c '[.layers[] | .digest] | sort' "$T"/pulled/*.manifest.json | sort)" \
    "$(pull "$source" "$T/pulled1" && jq -c '[.layers[] | .digest] | sort' "$T"/pulled1/*.manifest.json | sort)"

say "a mount elsewhere reads it; a digest is pinned and read-only"
mount_indexfs "$source" "$T/elsewhere"
agree "$T/elsewhere" "$source"
pinned=${source%:*}@sha256:$(sha256sum <"$T/index" | cut -d' ' -f1)
mount_indexfs "$pinned" "$T/pinned"
assert_same "$T/app-arm64" "$T/pinned/linux-arm64/app"
assert_call "open EROFS" put "$T/pinned/linux-arm64/app" text
assert_call EROFS mkdir "$T/pinned/linux-riscv64"
assert_call EROFS unlink "$T/pinned/linux-arm64/app"

say "so is -o ro"
mount_indexfs "$source" "$T/ro" ro
assert_same "$T/app-arm64" "$T/ro/linux-arm64/app"
assert_call EROFS mkdir "$T/ro/linux-riscv64"

for dir in "$tag" "$T/v2" "$T/elsewhere" "$T/pinned" "$T/ro"; do
    unmount "$dir"
done
