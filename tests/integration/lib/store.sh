# shellcheck shell=bash
# One name for each kind of store, so that a test can run over all of them; and images to browse.

# use_store plain|tls|layout: sets STORE_OPTIONS, for mounts, and what source_of answers.
use_store() {
    STORE=$1 STORE_OPTIONS=''
    case $1 in
    plain) start_registry plain ;;
    tls)
        start_registry tls --tls
        TLS_HOST=${host[tls]}
        STORE_OPTIONS=ca-file=$T/ca.crt
        ;;
    layout) ;;
    *) fail "use_store: $1" ;;
    esac
}

source_of() { # REPOSITORY TAG
    case $STORE in
    layout) echo "oci:$T/layout/$1:$2" ;;
    *) echo "${host[$STORE]}/$1:$2" ;;
    esac
}

# make_image LAYOUT TAG ARCHITECTURE FILE: an image with one real layer that holds FILE, by umoci.
make_image() {
    local layout=$1 image=$1:$2 bundle=$T/bundle
    [[ -d $layout ]] || umoci init --layout "$layout"
    umoci new --image "$image"
    umoci config --image "$image" --os linux --architecture "$3"
    umoci unpack --image "$image" "$bundle"
    install -D -m 755 "$4" "$bundle/rootfs/usr/bin/$(basename "$4")"
    umoci repack --image "$image" "$bundle"
    rm -rf "$bundle"
    umoci gc --layout "$layout"
} >/dev/null

# The descriptor of a tag in a layout's index.json.
layout_descriptor() { # LAYOUT TAG
    jq -c --arg tag "$2" '.manifests[]
        | select(.annotations["org.opencontainers.image.ref.name"] == $tag)
        | {mediaType, digest, size}' "$1/index.json"
}

# make_index LAYOUT TAG: an image index of a tag's worth of oddities, of the images tagged amd64
# and arm64 in LAYOUT: unknown members, uneven spacing, annotations, written by hand as other tools
# may. Leaves its text in LAYOUT.index and its entries in LAYOUT.entry1 and LAYOUT.entry2.
make_index() {
    local layout=$1 amd64 arm64 digest
    amd64=$(layout_descriptor "$layout" amd64)
    arm64=$(layout_descriptor "$layout" arm64)
    printf '{ "platform":{"os":"linux","architecture":"amd64", "x-more":[1,2.50]} ,%s , "x-other": {"b":1,"a":2}}' \
        "${amd64:1:-1}" >"$layout.entry1"
    printf '{%s,"annotations" : {"org.example.note":"caf\\u00e9","org.example.empty":""},\n\t"platform": {"architecture":"arm64","os":"linux","variant":"v8"}}' \
        "${arm64:1:-1}" >"$layout.entry2"
    {
        printf '{\n "schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",\n "manifests": ['
        cat "$layout.entry1"
        printf ',\n    '
        cat "$layout.entry2"
        printf '],\n "annotations": {"org.example.index": "of two"}, "x-tail": null }\n'
    } >"$layout.index"
    digest=$(sha256sum <"$layout.index" | cut -d' ' -f1)
    cp "$layout.index" "$layout/blobs/sha256/$digest"
    jq -c --arg tag "$2" --arg digest "sha256:$digest" --argjson size "$(stat -c %s "$layout.index")" \
        '.manifests += [{mediaType: "application/vnd.oci.image.index.v1+json", digest: $digest,
            size: $size, annotations: {"org.opencontainers.image.ref.name": $tag}}]' \
        "$layout/index.json" >"$layout/index.json.new"
    mv "$layout/index.json.new" "$layout/index.json"
}

# push LAYOUT:TAG SOURCE, digests kept.
push() {
    [[ $2 != oci:* ]] || mkdir -p "$(dirname "${2#oci:}")"
    # shellcheck disable=SC2046 # zero or one option
    skopeo copy --quiet --all --preserve-digests $(skopeo_options "$2" dest-) \
        "oci:$1" "$(skopeo_name "$2")"
}

# N bytes that can't be compressed and differ from call to call.
random_file() { # PATH BYTES
    head -c "$2" /dev/urandom >"$1"
}

# single FILE SOURCE: the tag gets this manifest, whose blobs the repository has.
single() {
    local digest
    case $2 in
    oci:*)
        local layout=${2#oci:}
        local tag=${layout##*:}
        layout=${layout%:*}
        digest=$(sha256sum <"$1" | cut -d' ' -f1)
        cp "$1" "$layout/blobs/sha256/$digest"
        jq -c --arg tag "$tag" --arg digest "sha256:$digest" --argjson size "$(stat -c %s "$1")" \
            '.manifests += [{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $digest,
                size: $size, annotations: {"org.opencontainers.image.ref.name": $tag}}]' \
            "$layout/index.json" >"$layout/index.json.new"
        mv "$layout/index.json.new" "$layout/index.json"
        ;;
    *)
        curl -sSf -X PUT -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
            --data-binary "@$1" "http://${2%%/*}/v2/$(sed 's,^[^/]*/,,; s,:.*,,' <<<"$2")/manifests/${2##*:}"
        ;;
    esac
}
