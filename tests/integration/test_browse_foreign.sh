#!/bin/bash
# A multi-architecture image that skopeo pushed is browsed and read byte for byte; listing it asks
# for no blob.
. "$(dirname "$0")/lib.sh"

printf 'for amd64\n' >"$T/hello-amd64"
random_file "$T/hello-arm64" 20000000 # a layer too large to be fetched whole before a read
make_image "$T/made" amd64 amd64 "$T/hello-amd64"
make_image "$T/made" arm64 arm64 "$T/hello-arm64"
make_index "$T/made" v1

layer_file() { # FOLDER
    local name
    for name in "$1"/sha256-*.tar.gz; do
        [[ -f $name ]] || fail "no layer in $1: $(ls "$1")"
        echo "$name"
    done
}

for store in plain tls; do
    use_store "$store"
    source=$(source_of library/hello v1)
    log=${access_log[$store]}
    push "$T/made:v1" "$source"

    say "$store: listed without a blob request"
    tag=$T/$store-v1
    mark=$(log_mark "$log")
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
    ls -lR "$tag" >/dev/null
    stat "$(layer_file "$tag/linux-amd64")" >/dev/null
    assert_no_request "$log" "$mark" "/blobs/"
    assert_no_request "$log" "$mark" "(PUT|POST|PATCH|DELETE) "

    say "$store: opening costs nothing either, and part of a large layer is fetched as part"
    mark=$(log_mark "$log")
    large=$(layer_file "$tag/linux-arm64-v8")
    assert_call ok open-read "$large"
    assert_no_request "$log" "$mark" "/blobs/"
    head -c 4096 "$large" >"$T/head"
    tail -c 4096 "$large" >"$T/tail"
    assert_no_request "$log" "$mark" "GET .*/blobs/[^ ]* 200"

    say "$store: read byte for byte"
    agree "$tag" "$source"
    for arch in amd64 arm64; do
        tar -xOzf "$(layer_file "$tag/linux-$arch"*)" "usr/bin/hello-$arch" >"$T/out"
        assert_same "$T/hello-$arch" "$T/out"
    done
    assert_eq "the index's annotations" "of two" "$(jq -r '.["org.example.index"]' "$tag/annotations.json")"
    assert_eq "the entry's annotations" "café" \
        "$(jq -r '.["$descriptor"]["org.example.note"]' "$tag/linux-arm64-v8/annotations.json")"

    say "$store: a single image is one folder, named by its platform"
    # shellcheck disable=SC2046 # zero or one option
    skopeo copy --quiet $(skopeo_options "$source" dest-) "oci:$T/made:arm64" \
        "docker://${source%:*}:single"
    mount_indexfs "${source%:*}:single" "$T/$store-single" "$STORE_OPTIONS"
    assert_match "folders" "^linux-arm64$" "$(ls "$T/$store-single")"
    agree "$T/$store-single" "${source%:*}:single"
    unmount "$tag"
    unmount "$T/$store-single"
done

say "the layout itself, read in place"
mount_indexfs "oci:$T/made:v1" "$T/made-v1"
agree "$T/made-v1" "oci:$T/made:v1"
unmount "$T/made-v1"
