#!/bin/bash
# Takes long: starts first.
# manifest.json written in .oci: the folder shows at once what it says, and exactly these bytes are
# published; changes of files and annotations that come after it are made into them.
. "$(dirname "$0")/lib.sh"

# What skopeo gets, and its digest.
entry() { raw "$source" | jq -r '.manifests[0].digest'; }
layer() { # FILE TITLE: its descriptor
    printf '{ "size":%s,"digest" : "%s", "mediaType":"application/x.%s","annotations":{"org.opencontainers.image.title":"%s", "by":"hand"}}' \
        "$(stat -c %s "$1")" "$(digest_of "$1")" "$2" "$2"
}
manifest() { # LAYERS: by nobody's habits
    printf '{ "x-first":[1.0, {"b":1,"a":2}],\n\t"layers" : [%s],\n "artifactType":"application/vnd.example" ,"annotations":{"caf\\u00e9":"1"},\n  "config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a","size":2,"data":"e30="},"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json"}\n' "$1"
}
echo one >"$T/one"
echo two >"$T/two"
echo three >"$T/three"

for store in plain layout; do
    use_store "$store"
    source=$(source_of team/app v1)
    tag=$T/$store-v1
    folder=$tag/linux-amd64
    file=$folder/.oci/manifest.json
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS"

    say "$store: a new folder: files that were copied in, named by a manifest of one's own"
    mkdir "$folder"
    cp "$T/one" "$T/two" "$folder"
    manifest "$(layer "$T/two" two),$(layer "$T/one" one)" >"$T/given"
    cp "$T/given" "$file"
    assert_same "$T/given" "$file"
    assert_eq "annotations.json" "hand 1" "$(jq -r '"\(.two.by) \(.["$manifest"]["café"])"' "$folder/annotations.json")"
    sync "$tag"
    assert_eq "published as it was written" "$(digest_of "$T/given")" "$(entry)"
    raw_at "$source" "$(entry)" | cmp - "$T/given" || fail "the bytes"
    assert_same "$T/one" "$folder/one"
    agree "$tag" "$source"

    say "$store: a file is renamed by its title; one is taken out"
    sed -i 's/"org.opencontainers.image.title":"two"/"org.opencontainers.image.title":"sub\/zwei"/' "$file"
    assert_eq "shown at once" "annotations.json one sub sub/zwei" "$(cd "$folder" && find . -mindepth 1 -printf '%P\n' | sort | xargs)"
    assert_same "$T/two" "$folder/sub/zwei"
    manifest "$(layer "$T/two" two)" >"$T/given"
    cp "$T/given" "$file"
    assert_eq "shown at once" "annotations.json two" "$(ls "$folder" | xargs)"
    sync "$tag"
    assert_eq "published" "$(digest_of "$T/given")" "$(entry)"

    say "$store: files and annotations that change afterwards are made into these bytes"
    manifest "$(layer "$T/two" two),$(layer "$T/one" one)" >"$T/given"
    cp "$T/given" "$file"
    cp "$T/three" "$folder/three"
    setfattr -n user.oci.annotation.by -v foot "$folder/one"
    rm "$folder/two"
    sync "$tag"
    raw_at "$source" "$(entry)" >"$T/published"
    assert_eq "what it is" "one foot three null" \
        "$(jq -r '[.layers[].annotations | ."org.opencontainers.image.title", .by] | map(. // "null") | join(" ")' "$T/published")"
    assert_match "what isn't known, and the spacing" '^\{ "x-first":\[1\.0, \{"b":1,"a":2\}\],' "$(cat "$T/published")"
    assert_match "the escape" 'caf\\u00e9' "$(cat "$T/published")"
    agree "$tag" "$source"

    say "$store: what isn't committed isn't lost by it"
    echo new >"$folder/new"
    assert_call "close EINVAL" put "$file" "$(cat "$T/given")"
    assert_match "why" 'new isn.t committed, and this manifest doesn.t name it' "$(cat "$tag/.oci/status")"
    assert_call EINVAL fsync "$tag"
    assert_eq "the draft" "$(cat "$T/given")" "$(cat "$file")"
    rm "$folder/new" "$file"
    sync "$tag"
    assert_same "$T/published" "$file"

    say "$store: the committed bytes: what was changed since is undone"
    setfattr -n user.oci.annotation.by -v late "$folder/one"
    mv "$folder/three" "$folder/drei"
    cp "$T/published" "$file"
    assert_eq "shown" "annotations.json one three" "$(ls "$folder" | xargs)"
    assert_eq "an annotation" foot "$(getfattr --only-values -n user.oci.annotation.by "$folder/one")"
    rm "$folder/one"
    cp "$T/published" "$file"
    kill_daemon "$tag"
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
    assert_eq "shown" "annotations.json one three" "$(ls "$folder" | xargs)"
    sync "$tag"
    assert_eq "published" "$(digest_of "$T/published")" "$(entry)"
    say "$store: the committed bytes, and a file that would be published with them"
    echo new >"$folder/new"
    if cp "$T/published" "$file"; then fail "new isn't in it"; fi
    assert_match "why" 'new isn.t committed, and this manifest doesn.t name it' "$(jq -r '.drafts[].message' "$tag/.oci/status")"
    rm "$folder/new" "$file"
    sync "$tag"
    assert_eq "published" "$(digest_of "$T/published")" "$(entry)"

    say "$store: a blob that isn't there, one of another size"
    echo elsewhere >"$T/missing"
    [[ $store == layout ]] || mark=$(log_mark "${access_log[plain]}")
    manifest "$(layer "$T/one" one),$(layer "$T/missing" missing)" >"$T/bad"
    cp "$T/bad" "$file"
    assert_eq "shown" "annotations.json missing one" "$(ls "$folder" | xargs)"
    assert_call EINVAL fsync "$tag"
    assert_match "why" "linux-amd64/.oci/manifest.json: layers.1.: the repository has no blob $(digest_of "$T/missing")" \
        "$(cat "$tag/.oci/status")"
    manifest "$(layer "$T/one" one | sed 's/"size":4/"size":5/')" >"$file"
    assert_call EINVAL fsync "$tag"
    assert_match "why" "layers.0.: the repository has no blob $(digest_of "$T/one") of 5 bytes" "$(cat "$tag/.oci/status")"
    [[ $store == layout ]] || assert_no_request "${access_log[plain]}" "$mark" '^(PUT|POST|PATCH)'
    say "$store: and there, once it's copied in"
    cp "$T/bad" "$file"
    cp "$T/missing" "$folder/missing"
    sync "$tag"
    assert_same "$T/missing" "$folder/missing"
    agree "$tag" "$source"

    say "$store: after kill -9, twice: what was given and changed since, and a broken draft"
    manifest "$(layer "$T/two" two),$(layer "$T/one" one)" >"$T/given"
    cp "$T/given" "$file"
    cp "$T/three" "$folder/three"
    printf '{"schemaVersion":' >"$folder/.oci/descriptor.json" || true
    for _ in 1 2; do
        kill_daemon "$tag"
        mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
        assert_same "$T/given" "$file"
        assert_same "$T/two" "$folder/two"
        assert_eq "shown" "annotations.json one three two" "$(ls "$folder" | xargs)"
        assert_eq "the draft" '{"schemaVersion":' "$(cat "$folder/.oci/descriptor.json")"
        assert_call EINVAL fsync "$tag"
    done
    rm "$folder/.oci/descriptor.json"
    sync "$tag"
    assert_eq "published" "two one three" "$(raw_at "$source" "$(entry)" | jq -r '[.layers[].annotations["org.opencontainers.image.title"]] | join(" ")')"

    if [[ $store == plain ]]; then
        say "without the registry: given, unmounted, mounted again; published once it's back"
        stop_registry plain
        sed -i 's/"by":"hand"/"by":"night"/' "$file"
        for _ in 1 2; do
            remount "$source" "$tag" "$STORE_OPTIONS"
            assert_eq "the manifest" night "$(jq -r '.layers[0].annotations.by' "$file")"
            assert_eq "annotations.json" night "$(jq -r .two.by "$folder/annotations.json")"
        done
        assert_call ECONNREFUSED fsync "$tag"
        restart_registry plain
        sync "$tag"
        assert_eq "published" night "$(raw_at "$source" "$(entry)" | jq -r '.layers[0].annotations.by')"
        sed -i 's/"by":"night"/"by":"hand"/' "$file"
        sync "$tag"
    fi

    say "$store: merged with what others have published meanwhile"
    mount_indexfs "$source" "$T/$store-other" "$STORE_OPTIONS"
    sed -i 's/"by":"hand"/"by":"both"/g' "$file"
    cp "$T/missing" "$T/$store-other/linux-amd64/theirs"
    mkdir "$T/$store-other/linux-arm64"
    cp "$T/one" "$T/$store-other/linux-arm64/one"
    sync "$T/$store-other"
    unmount "$T/$store-other"
    sync "$tag"
    assert_eq "entries" "amd64 arm64" "$(raw "$source" | jq -r '[.manifests[].platform.architecture] | join(" ")')"
    assert_eq "layers" "two both one both three null theirs null" "$(raw_at "$source" "$(entry)" |
        jq -r '[.layers[].annotations | ."org.opencontainers.image.title", .by] | map(. // "null") | join(" ")')"
    unmount "$tag"
done
