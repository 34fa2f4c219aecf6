#!/bin/bash
# Takes long: starts first.
# index.json written in .oci: the tag shows at once what it says, and exactly these bytes are
# published; a tag that is a single manifest is written the same way.
. "$(dirname "$0")/lib.sh"

folders() { ls "$1" | grep -v annotations.json | xargs; }
# refused FILE TO FOLDER: because something is changed in the folder; it stays as a draft.
refused() {
    if cp "$1" "$2"; then fail "$3 would be published with it"; fi
    assert_match "why" "manifests: $3 has changes that aren.t committed" "$(jq -r '.drafts[].message' "${2%/*}/status")"
    assert_same "$1" "$2"
    rm "$2"
}
# index ENTRY...: by nobody's habits
index() {
    local IFS=,
    printf '{ "manifests":[%s],\n\t"x-more" : [1.0],"annotations":{"caf\\u00e9":"1"}, "mediaType":"application/vnd.oci.image.index.v1+json","schemaVersion":2 }\n' "$*"
}

for store in plain layout; do
    use_store "$store"
    source=$(source_of team/app v1)
    tag=$T/$store-v1
    file=$tag/.oci/index.json
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
    for arch in amd64 arm64 riscv64; do
        mkdir "$tag/linux-$arch"
        echo "$arch" >"$tag/linux-$arch/app"
    done
    sync "$tag"
    mapfile -t entries < <(jq -c '.manifests[]' "$file")

    say "$store: entries in another order, one left out, one under another platform"
    ls "$tag/linux-arm64" >/dev/null
    index "${entries[2]}" "${entries[0]/amd64/s390x}" >"$T/given"
    cp "$T/given" "$file"
    assert_same "$T/given" "$file"
    wait_until 5 test -e "$tag/linux-s390x/app"
    assert_eq "shown at once" "linux-riscv64 linux-s390x" "$(folders "$tag")"
    assert_eq "annotations.json" 1 "$(jq -r '."café"' "$tag/annotations.json")"
    assert_eq "a file" amd64 "$(cat "$tag/linux-s390x/app")"
    sync "$tag"
    raw "$source" | cmp - "$T/given" || fail "the bytes"
    agree "$tag" "$source"

    say "$store: what changes afterwards is made into these bytes"
    index "${entries[0]}" "${entries[2]}" >"$T/given"
    cp "$T/given" "$file"
    wait_until 5 test -e "$tag/linux-amd64/app"
    echo changed >"$tag/linux-amd64/app"
    mkdir "$tag/linux-ppc64le"
    echo more >"$tag/linux-ppc64le/app"
    setfattr -n user.oci.annotation.by -v hand "$tag"
    sync "$tag"
    assert_eq "entries" "amd64 riscv64 ppc64le" "$(raw "$source" | jq -r '[.manifests[].platform.architecture] | join(" ")')"
    assert_match "what isn't known, the escape" '"x-more" : \[1\.0\],"annotations":\{"caf\\u00e9":"1",[[:space:]]*"by":"hand"\}' "$(raw "$source")"
    agree "$tag" "$source"

    say "$store: what isn't committed isn't lost by it"
    raw "$source" >"$T/published"
    digest=$(digest_of "$T/published")
    echo more >>"$tag/linux-amd64/app"
    assert_call "close EINVAL" put "$file" "$(index "${entries[1]}")"
    assert_match "why" 'linux-amd64 has changes that aren.t committed' "$(cat "$tag/.oci/status")"
    assert_call EINVAL fsync "$tag"
    rm "$file"
    sync "$tag"
    assert_eq "the rest" "amd64 riscv64 ppc64le" "$(jq -r '[.manifests[].platform.architecture] | join(" ")' "$file")"

    say "$store: the committed bytes: what was removed is back, an annotation is as it was"
    cp "$file" "$T/published"
    rm -r "$tag/linux-riscv64"
    setfattr -n user.oci.annotation.by -v foot "$tag"
    cp "$T/published" "$file"
    for _ in 1 2; do
        assert_eq "folders" "linux-amd64 linux-ppc64le linux-riscv64" "$(folders "$tag")"
        assert_eq "an annotation" hand "$(getfattr --only-values -n user.oci.annotation.by "$tag")"
        kill_daemon "$tag"
        mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
    done
    sync "$tag"
    raw "$source" | cmp - "$T/published" || fail "the bytes"

    say "$store: a folder that is new, renamed or changed, and the index says otherwise"
    sed 's/"by":"hand"/"by":"foot"/' "$T/published" >"$T/given"
    mkdir "$tag/linux-arm"
    echo new >"$tag/linux-arm/app"
    refused "$T/given" "$file" linux-arm
    refused "$T/published" "$file" linux-arm
    rm -r "$tag/linux-arm"
    mv "$tag/linux-ppc64le" "$tag/linux-s390x"
    refused "$T/given" "$file" linux-s390x
    refused "$T/published" "$file" linux-s390x
    mv "$tag/linux-s390x" "$tag/linux-ppc64le"
    sync "$tag"
    echo more >>"$tag/linux-ppc64le/app"
    refused "$T/given" "$file" linux-ppc64le
    refused "$T/published" "$file" linux-ppc64le
    sync "$tag"
    agree "$tag" "$source"

    say "$store: a folder that shows files can't become one of another kind"
    jq -c '.manifests[0].mediaType = "application/x.other"' "$file" >"$T/given"
    if cp "$T/given" "$file"; then fail "its files are shown"; fi
    assert_match "why" 'linux-amd64 shows files, and application/x.other' "$(jq -r '.drafts[].message' "$tag/.oci/status")"
    rm "$file"

    say "$store: a manifest that isn't there, one of another size"
    index "${entries[0]}" "$(jq -c '.digest = "sha256:'"$(printf %064d 1)"'" | .platform.architecture = "arm"' <<<"${entries[0]}")" >"$file"
    assert_call EINVAL fsync "$tag"
    assert_match "why" "/.oci/index.json: manifests.1.: .*$(printf %064d 1)" "$(cat "$tag/.oci/status")"
    index "$(jq -c '.size += 1' <<<"${entries[1]}")" >"$file"
    assert_call EINVAL fsync "$tag"
    assert_match "why" "/.oci/index.json: manifests.0.: .*bytes" "$(cat "$tag/.oci/status")"

    say "$store: after kill -9, twice"
    index "${entries[1]}" "${entries[0]}" >"$T/given"
    cp "$T/given" "$file"
    wait_until 5 test -e "$tag/linux-arm64/app"
    echo new >"$tag/linux-arm64/new"
    for _ in 1 2; do
        kill_daemon "$tag"
        mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
        assert_same "$T/given" "$file"
        assert_eq "folders" "linux-amd64 linux-arm64" "$(folders "$tag")"
        assert_eq "a file" "arm64 new" "$(cat "$tag/linux-arm64/app" "$tag/linux-arm64/new" | xargs)"
    done

    say "$store: merged with what others have published meanwhile"
    mount_indexfs "$source" "$T/$store-other" "$STORE_OPTIONS"
    mkdir "$T/$store-other/linux-loong64"
    echo theirs >"$T/$store-other/linux-loong64/app"
    sync "$T/$store-other"
    unmount "$T/$store-other"
    sync "$tag"
    assert_eq "entries" "amd64 arm64 loong64" "$(raw "$source" | jq -r '[.manifests[].platform.architecture] | sort | join(" ")')"
    agree "$tag" "$source"
    unmount "$tag"

    say "$store: a new tag, of what the repository has"
    source=$(source_of team/app v2)
    tag=$T/$store-v2
    file=$tag/.oci/index.json
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
    index "${entries[1]}" >"$T/given"
    cp "$T/given" "$file"
    wait_until 5 test -e "$tag/linux-arm64/app"
    sync "$tag"
    raw "$source" | cmp - "$T/given" || fail "the bytes"
    unmount "$tag"

    say "$store: a single manifest: its index.json is the manifest"
    source=$(source_of team/app single)
    tag=$T/$store-single
    file=$tag/.oci/index.json
    raw_at "$source" "$(jq -r .digest <<<"${entries[1]}")" >"$T/manifest"
    single "$T/manifest" "$source"
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
    assert_eq "folders" any "$(folders "$tag")"
    sed 's/"schemaVersion":2/"schemaVersion":2, "x" : 1.0/' "$T/manifest" >"$T/given"
    cp "$T/given" "$file"
    assert_same "$T/given" "$file"
    assert_same "$T/given" "$tag/any/.oci/manifest.json"
    sync "$tag"
    raw "$source" | cmp - "$T/given" || fail "the bytes"
    say "$store: a single manifest, and a folder that would make an index of the tag"
    mkdir "$tag/linux-arm"
    echo new >"$tag/linux-arm/app"
    refused "$T/given" "$file" linux-arm
    unmount "$tag"
done
