#!/bin/bash
# Equal input gives equal digests, whoever publishes it, when and in however many steps; and a commit
# without a change sends nothing.
. "$(dirname "$0")/lib.sh"

use_store plain
log=${access_log[plain]}
random_file "$T/app" 300000
tar -czf "$T/share.tar.gz" -C "$T" app

# Each machine has a state and a cache of its own; these are their tags.
machine_tag() { # MACHINE
    echo "${host[plain]}/machine-$1/app:$style"
}

document() { # SOURCE REFERENCE
    local repository=${1%:*}
    curl -sS --fail -H "Accept: application/vnd.oci.image.index.v1+json" \
        -H "Accept: application/vnd.oci.image.manifest.v1+json" \
        "http://${host[plain]}/v2/${repository#*/}/manifests/$2"
}

# What the tag names, all of it: every document, config and layer.
digests() { # SOURCE
    document "$1" "$style" >"$T/index"
    sha256sum <"$T/index"
    for digest in $(jq -r '.manifests[].digest' "$T/index"); do
        document "$1" "$digest" >"$T/manifest"
        echo "$digest $(sha256sum <"$T/manifest")"
        jq -r '.config, .layers[] | .mediaType + " " + .digest' "$T/manifest"
    done
}

assert_equal() { # WHAT
    digests "$(machine_tag one)" >"$T/one"
    digests "$(machine_tag two)" >"$T/two"
    diff "$T/one" "$T/two" || fail "$1: the digests differ"
}

write_notes() { # TAG
    echo '{"org.example.b": "caf\u00e9", "org.example.a": ""}' >"$1/annotations.json"
    echo '{"$descriptor": {"k": "1"}, "$manifest": {"k": "2"}, "app": {"k": "3"}}' \
        >"$1/linux-amd64/annotations.json"
}

# At once, with cp.
publish_one() { # TAG
    mkdir -p "$1/linux-amd64/doc" "$1/darwin-arm64@macOS 12.6"
    install -m 755 "$T/app" "$1/linux-amd64/app"
    echo read me >"$1/linux-amd64/doc/README"
    cp "$T/share.tar.gz" "$1/darwin-arm64@macOS 12.6/share.tar.gz"
    write_notes "$1"
    sync "$1"
}

# At another time, in pieces, by way of other names, for another user's eyes.
publish_two() { # TAG
    mkdir "$1/linux-amd64" "$1/darwin-arm64@macOS 12.6"
    head -c 1000 "$T/app" >"$1/linux-amd64/app.part"
    tail -c +1001 "$T/app" >>"$1/linux-amd64/app.part"
    mv "$1/linux-amd64/app.part" "$1/linux-amd64/app"
    chmod 755 "$1/linux-amd64/app"
    mkdir "$1/linux-amd64/doc"
    echo read them >"$1/linux-amd64/doc/README"
    echo read me >"$1/linux-amd64/doc/.README.swp"
    mv "$1/linux-amd64/doc/.README.swp" "$1/linux-amd64/doc/README"
    cp "$T/share.tar.gz" "$1/darwin-arm64@macOS 12.6/share.tar.gz"
    touch -d '2001-02-03' "$1"/*/*
    write_notes "$1"
    sync "$1"
}

unwatched() { # TAG
    [[ $(jq .watching "$1/.oci/status") == false ]]
}

for style in compact pretty; do
    say "$style: two machines publish the same"
    one=$T/one-$style two=$T/two-$style
    mount_indexfs "$(machine_tag one)" "$one" "json=$style"
    publish_one "$one"
    TZ=Pacific/Auckland mount_indexfs "$(machine_tag two)" "$two" "json=$style,uid=12345,umask=077"
    publish_two "$two"
    assert_equal "$style"
    agree "$two" "$(machine_tag two)"
    cp "$T/one" "$T/digests-$style"

    say "$style: a commit without a change sends nothing"
    wait_until 30 unwatched "$one" || fail "still watched"
    wait_until 30 unwatched "$two" || fail "still watched"
    mark=$(log_mark "$log")
    sync "$one" "$one/linux-amd64" "$one/linux-amd64/app" "$two"
    "$INDEXFS" commit "$two" >/dev/null
    assert_no_request "$log" "$mark" "(PUT|POST|PATCH|DELETE) "

    say "$style: nor one of the same bytes, written once more"
    cat "$T/app" >"$one/linux-amd64/app"
    touch "$one/linux-amd64/doc/README"
    write_notes "$one"
    sync "$one"
    assert_no_request "$log" "$mark" "(PUT|PATCH|DELETE) "
    assert_equal "$style, once more"

    say "$style: the same change on both, one of them without what it had cached"
    remount "$(machine_tag two)" "$two" "json=$style,cache-dir=$T/empty-$style"
    for tag in "$one" "$two"; do
        echo more >>"$tag/linux-amd64/doc/README"
        rm "$tag/darwin-arm64@macOS 12.6/share.tar.gz"
        sync "$tag"
    done
    assert_equal "$style, changed"
    cmp -s "$T/one" "$T/digests-$style" && fail "nothing has changed"
    unmount "$one"
    unmount "$two"
done

say "the styles differ in their documents, and in no layer"
cmp -s "$T/digests-compact" "$T/digests-pretty" && fail "the styles are one"
grep '^application/' "$T/digests-compact" >"$T/one"
grep '^application/' "$T/digests-pretty" | diff "$T/one" - || fail "the layers differ"
