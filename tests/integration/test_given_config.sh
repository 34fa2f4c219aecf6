#!/bin/bash
# Takes long: starts first.
# config.json written in .oci: the manifest names what was written, and the registry gets these bytes.
. "$(dirname "$0")/lib.sh"

manifest() { raw_at "$source" "$(raw "$source" | jq -r '.manifests[0].digest')"; }

make_image "$T/images" amd64 amd64 /bin/true
make_image "$T/images" arm64 arm64 /bin/false
make_index "$T/images" both

for store in plain layout; do
    use_store "$store"
    source=$(source_of team/app v1)
    tag=$T/$store-v1
    folder=$tag/linux-amd64
    file=$folder/.oci/config.json
    push "$T/images:both" "$source"
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
    manifest >"$T/before"

    say "$store: it reads as the config's blob, and is written in place"
    assert_eq "read" "$(jq -r .config.digest "$T/before")" "$(digest_of "$file")"
    jq '.author = "by hand"' "$file" | sed 's/"created"/  "created"/' >"$T/text"
    cp "$T/text" "$file"
    assert_same "$T/text" "$file"
    assert_eq "the manifest names it" "$(digest_of "$T/text") $(stat -c %s "$T/text")" \
        "$(jq -r '.config | "\(.digest) \(.size)"' "$folder/.oci/manifest.json")"
    sync "$tag"
    assert_eq "published" "$(digest_of "$T/text")" "$(manifest | jq -r .config.digest)"
    assert_eq "the rest of the manifest" "$(jq -c 'del(.config)' "$T/before")" "$(manifest | jq -c 'del(.config)')"
    assert_same "$T/text" "$file"
    agree "$tag" "$source"
    # shellcheck disable=SC2046 # options are words
    skopeo inspect --config --override-arch amd64 --override-os linux $(skopeo_options "$source" "") \
        "$(skopeo_name "$source")" | jq -r .author | grep -qx "by hand" || fail "skopeo's view of it"

    say "$store: sed -i, and kill -9 before it is published"
    sed -i 's/by hand/by sed/' "$file"
    digest=$(digest_of "$file")
    for _ in 1 2; do
        kill_daemon "$tag"
        mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
        assert_eq "read" "$digest" "$(digest_of "$file")"
        assert_eq "the manifest names it" "$digest" "$(jq -r .config.digest "$folder/.oci/manifest.json")"
    done
    sync "$tag"
    assert_eq "published" "$digest" "$(manifest | jq -r .config.digest)"
    agree "$tag" "$source"

    say "$store: what isn't a config for these layers"
    for text in '{' '[]' '{"os": "linux"}' '{"os": "linux", "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": []}}' \
        '{"os": 1, "architecture": "amd64", "rootfs": {"type": "layers", "diff_ids": ["sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"]}}'; do
        assert_call "close EINVAL" put "$file" "$text"
        assert_eq "the draft" "$text" "$(cat "$file")"
        assert_match "why" '"path": "linux-amd64/.oci/config.json"' "$(cat "$tag/.oci/status")"
    done
    assert_call EINVAL fsync "$tag"
    rm "$file"
    sync "$tag"
    assert_eq "given up" "$digest" "$(manifest | jq -r .config.digest)"

    say "$store: an artifact with the empty config: another mediaType first, then its content"
    mkdir "$tag/plan9-386"
    echo app >"$tag/plan9-386/app"
    sync "$tag"
    file=$tag/plan9-386/.oci/config.json
    assert_call "close EINVAL" put "$file" '{"a": 1}'
    assert_match "why" "mediaType says that it is empty" "$(cat "$tag/.oci/status")"
    rm "$file"
    echo '{"a": 1}' >"$T/text"
    jq -c --arg digest "$(digest_of "$T/text")" --argjson size "$(stat -c %s "$T/text")" \
        '.config = {mediaType: "application/vnd.example+json", digest: $digest, size: $size}' \
        "$tag/plan9-386/.oci/manifest.json" >"$T/given"
    cp "$T/given" "$tag/plan9-386/.oci/manifest.json"
    assert_call EINVAL fsync "$tag"
    assert_match "why" "config: the repository has no blob $(digest_of "$T/text")" "$(cat "$tag/.oci/status")"
    cp "$T/text" "$file"
    sync "$tag"
    assert_eq "published" "$(digest_of "$T/given")" "$(raw "$source" | jq -r '.manifests[2].digest')"
    raw_at "$source" "$(digest_of "$T/given")" | cmp - "$T/given" || fail "the bytes"
    agree "$tag" "$source"
    unmount "$tag"
done

say "a new image with an artifact-type of its own, and the time"
use_store layout
source=$(source_of team/new v1)
tag=$T/new
mount_indexfs "$source" "$tag" "config=image,created=1700000000"
mkdir "$tag/linux-amd64"
echo app >"$tag/linux-amd64/app"
echo application/vnd.example >"$tag/linux-amd64/.oci/artifact-type"
sync "$tag"
assert_eq "made" "application/vnd.example application/vnd.oci.image.config.v1+json 2023-11-14T22:13:20Z" \
    "$(manifest | jq -r '"\(.artifactType) \(.config.mediaType) \(.annotations["org.opencontainers.image.created"])"')"
assert_eq "its platform" amd64 "$(jq -r .architecture "$tag/linux-amd64/.oci/config.json")"
unmount "$tag"
