# shellcheck shell=bash
# Container images, as skopeo and umoci see them.

# A tar with one program, one with a setting, and both compressed: $T/base.tar, $T/more.tar, and
# what is in them, $T/base/ and $T/more/.
make_tars() {
    mkdir -p "$T/base/bin" "$T/more/etc"
    random_file "$T/base/bin/app" 300000
    echo setting >"$T/more/etc/conf"
    tar -C "$T/base" -cf "$T/base.tar" bin
    tar -C "$T/more" -cf "$T/more.tar" etc
    gzip -nk "$T/base.tar" "$T/more.tar"
    zstd -q "$T/base.tar" "$T/more.tar"
}

# A document or blob that a source's repository has, by its digest.
stored() { # SOURCE DIGEST
    local at=${1%:*}
    case $1 in
    oci:*) cat "${at#oci:}/blobs/${2/://}" ;;
    *) curl -fsS "http://${at%%/*}/v2/${at#*/}/blobs/$2" ;;
    esac
}

# The manifest of a tag's platform, or of the tag where it is one.
image_manifest() { # SOURCE ARCHITECTURE
    local root
    root=$(raw "$1")
    if [[ $(jq 'has("layers")' <<<"$root") == true ]]; then
        echo "$root"
    elif [[ $1 == oci:* ]]; then
        stored "$1" "$(image_digest "$1" "$2")"
    else
        raw "${1%:*}@$(image_digest "$1" "$2")"
    fi
}

image_digest() { # SOURCE ARCHITECTURE
    raw "$1" | jq -r --arg a "$2" '.manifests[] | select(.platform.architecture == $a) | .digest'
}

image_config() { # SOURCE ARCHITECTURE
    stored "$1" "$(image_manifest "$1" "$2" | jq -r .config.digest)"
}

diff_ids() { # SOURCE ARCHITECTURE
    image_config "$1" "$2" | jq -r '.rootfs.diff_ids | join(" ")'
}

# What umoci makes of the image, in $T/bundle/rootfs. It compares what it unpacks with the config's
# diff_ids; Debian's doesn't know zstd: skopeo makes gzip of that on the way, and keeps the config.
unpack_image() { # SOURCE ARCHITECTURE
    rm -rf "$T/pulled-image" "$T/bundle"
    # shellcheck disable=SC2046 # zero or one option
    skopeo copy --quiet --dest-compress-format gzip --override-os linux --override-arch "$2" $(skopeo_options "$1" src-) \
        "$(skopeo_name "$1")" "oci:$T/pulled-image:it"
    assert_eq "the config" "$(image_config "$1" "$2")" "$(image_config "oci:$T/pulled-image:it" "$2")"
    umoci unpack --image "$T/pulled-image:it" "$T/bundle" >/dev/null
}
