#!/bin/bash
# A platform added to somebody else's index: the others keep every byte and no blob is read.
. "$(dirname "$0")/lib.sh"

append() { # STORE
    local source tag=$T/$1-v1 layout=$T/made mark=0
    use_store "$1"
    source=$(source_of team/app v1)
    push "$layout:v1" "$source"
    [[ $1 == layout ]] || mark=$(log_mark "${access_log[$1]}")

    say "$1: a third platform is added"
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
    assert_eq "folders" "linux-amd64 linux-arm64-v8" "$(ls -I annotations.json "$tag" | xargs)"
    mkdir "$tag/darwin-arm64"
    cp "$T/app" "$tag/darwin-arm64/app"
    sync "$tag/darwin-arm64/app"
    raw "$source" >"$T/index"
    assert_text_kept
    assert_eq "the new entry is last" darwin "$(jq -r '.manifests[2].platform.os' "$T/index")"
    if [[ $1 != layout ]]; then
        assert_no_request "${access_log[$1]}" "$mark" "GET .*/blobs/"
        assert_order "${access_log[$1]}" "$mark"
    fi
    agree "$tag" "$source"

    say "$1: a replaced file changes its entry in its place"
    cp "$T/app2" "$tag/darwin-arm64/app"
    mkdir "$tag/windows-amd64"
    cp "$T/app" "$tag/windows-amd64/app.exe"
    sync "$tag"
    cp "$T/app3" "$tag/darwin-arm64/app"
    sync "$tag/darwin-arm64"
    raw "$source" >"$T/index"
    assert_text_kept
    assert_eq "entries" "linux linux darwin windows" \
        "$(jq -r '.manifests[].platform.os' "$T/index" | xargs)"
    agree "$tag" "$source"

    say "$1: a file added to an image changes that entry alone, in its place"
    cp "$T/app" "$tag/linux-arm64-v8/extra"
    sync "$tag"
    raw "$source" >"$T/index"
    grep -qF "$(cat "$layout.entry1")" "$T/index" || fail "the first entry changed: $(cat "$T/index")"
    assert_eq "members of the changed entry" '{"org.example.empty":"","org.example.note":"café"}' \
        "$(jq -cS '.manifests[1].annotations' "$T/index")"
    assert_eq "entries" "linux/amd64 linux/arm64 darwin/arm64 windows/amd64" \
        "$(jq -r '.manifests[].platform | .os + "/" + .architecture' "$T/index" | xargs)"
    agree "$tag" "$source"

    say "$1: an entry that is removed is gone, the rest stays"
    rm -r "$tag/windows-amd64"
    sync "$tag"
    raw "$source" >"$T/index"
    assert_eq "entries" "linux linux darwin" \
        "$(jq -r '.manifests[].platform.os' "$T/index" | xargs)"
    agree "$tag" "$source"
    unmount "$tag"
}

# Everything but what was added stands in the index as it stood.
assert_text_kept() {
    python3 - "$T/made" "$T/index" <<'EOF' || fail "text changed: $(cat "$T/index")"
import sys
made, index = sys.argv[1], open(sys.argv[2], "rb").read()
before = open(made + ".index", "rb").read()
second = open(made + ".entry2", "rb").read()
cut = before.index(second) + len(second)
assert index.startswith(before[:cut]), "before the second entry's end"
assert index.endswith(before[cut:].lstrip()), "after the last entry"
EOF
}

# Blobs, then the manifest by its digest, then the tag, once, as the last change.
assert_order() { # LOG MARK
    local changes
    changes=$(requests_matching "$1" "$2" "^(PUT|POST|PATCH|DELETE) ")
    assert_match "changes" "PUT /v2/team/app/manifests/sha256:[0-9a-f]+ 201"$'\n'"PUT /v2/team/app/manifests/v1 201$" "$changes"
    assert_requests "$1" "$2" "PUT .*/manifests/" 2
    assert_requests "$1" "$2" "PUT .*/blobs/uploads/UPLOAD 201" 2 # the file, the empty config
}

random_file "$T/app" 200000
random_file "$T/app2" 200001
random_file "$T/app3" 200002
printf 'for amd64' >"$T/hello-amd64"
printf 'for arm64' >"$T/hello-arm64"
make_image "$T/made" amd64 amd64 "$T/hello-amd64"
make_image "$T/made" arm64 arm64 "$T/hello-arm64"
make_index "$T/made" v1

append plain
append layout
