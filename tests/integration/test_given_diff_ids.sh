#!/bin/bash
# A manifest or config written in .oci, where the image config tells of other layers than the manifest
# names, or in another order: it isn't published, nor an index that names a manifest like that; and no
# more is read than has to be.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/images.sh
. "$HERE/lib/images.sh"

use_store plain
make_tars
source=$(source_of team/app v1)
tag=$T/v1
folder=$tag/linux-amd64
manifest=$folder/.oci/manifest.json
config=$folder/.oci/config.json
log=${access_log[plain]}

mount_indexfs "$source" "$tag" config=image
mkdir "$folder"
cp "$T/base.tar.gz" "$T/more.tar.gz" "$folder/"
sync "$tag"
published=$(image_digest "$source" amd64)
cp "$manifest" "$T/published"
cp "$config" "$T/config.json"
base=$(digest_of "$T/base.tar.gz")
more=$(digest_of "$T/more.tar.gz")

# A mount that has read nothing yet.
forget() {
    unmount "$tag"
    rm -rf "$T/cache-v1"
    mount_indexfs "$source" "$tag"
    ls "$folder" >/dev/null
    mark=$(log_mark "$log")
}
give() { # FILTER: a change of the published manifest
    jq -c "$1" "$T/published" >"$T/given"
    cp "$T/given" "$manifest"
}
configure() { # FILTER: a change of its config
    jq -c "$1" "$T/config.json" >"$T/written.json"
    cp "$T/written.json" "$config"
}
refused() { # WHY
    assert_call EINVAL fsync "$tag"
    assert_match "why" "$1" "$(cat "$tag/.oci/status")"
    assert_no_request "$log" "$mark" '^PUT .*/manifests/'
    assert_eq "published" "$published" "$(image_digest "$source" amd64)"
}
committed() { # given, as it is
    sync "$tag"
    published=$(image_digest "$source" amd64)
    assert_eq "published" "$(digest_of "$manifest")" "$published"
    mark=$(log_mark "$log")
}
fetched() { # how often, of the blob with this digest
    requests "$log" "$mark" | grep -c "^GET .*/blobs/$1" || true
}

say "the same layers: nothing is read for it"
forget
give '.annotations.k = "v"'
committed
assert_requests "$log" "$mark" 'GET .*/blobs/' 0

say "in another order"
forget
give '.layers |= reverse'
refused 'linux-amd64/.oci/manifest.json: config: rootfs.diff_ids.0. is sha256:[0-9a-f]*, and layers.0., more.tar.gz, is '"$(digest_of "$T/more.tar")"
assert_eq "read" "0 1" "$(fetched "$base") $(fetched "$more")"

say "with a config for that order it is published"
configure '.rootfs.diff_ids |= reverse'
committed
assert_eq "diff_ids" "$(digest_of "$T/more.tar") $(digest_of "$T/base.tar")" "$(diff_ids "$source" amd64)"
assert_eq "read" "0 0" "$(fetched "$base") $(fetched "$more")"
unpack_image "$source" amd64
agree "$tag" "$source"
cp "$manifest" "$T/published"

say "a config in another order than its layers"
forget
configure .
refused 'rootfs.diff_ids.0. is '"$(digest_of "$T/base.tar")"
rm "$config"
sync "$tag"

say "another layer, which the repository has: it is read, and no other"
other=$(source_of team/app other)
mount_indexfs "$other" "$T/other"
mkdir "$T/other/linux-arm64"
tar -C "$T/more" -cf "$T/third.tar" --mtime @0 etc
gzip -nk "$T/third.tar"
cp "$T/third.tar.gz" "$T/other/linux-arm64/"
sync "$T/other"
unmount "$T/other"
third=$(digest_of "$T/third.tar.gz")
layer='.layers[1] |= (.digest = "'$third'" | .size = '$(stat -c %s "$T/third.tar.gz")')'
for right in false true; do
    forget
    give "$layer"
    if [[ $right == false ]]; then
        refused 'rootfs.diff_ids.1. is '"$(digest_of "$T/base.tar")"', and layers.1., base.tar.gz, is '"$(digest_of "$T/third.tar")"
    else
        configure '.rootfs.diff_ids = ["'"$(digest_of "$T/more.tar")"'", "'"$(digest_of "$T/third.tar")"'"]'
        committed
    fi
    assert_eq "read" "0 0" "$(fetched "$base") $(fetched "$more")"
done
agree "$tag" "$source"

say "an index that names a manifest with fewer layers than its config tells of"
index=$tag/.oci/index.json
jq -c '.layers |= .[:1]' "$manifest" >"$T/short.json"
single "$T/short.json" "$(source_of team/app short)"
single "$T/published" "$(source_of team/app whole)"
entry() { # FILE ARCHITECTURE
    jq -nc --arg d "$(digest_of "$1")" --argjson s "$(stat -c %s "$1")" --arg a "$2" \
        '{mediaType: "application/vnd.oci.image.manifest.v1+json", digest: $d, size: $s, platform: {os: "linux", architecture: $a}}'
}
forget
before=$(raw "$source")
jq -c --argjson e "$(entry "$T/short.json" arm)" '.manifests += [$e]' "$index" >"$T/given"
cp "$T/given" "$index"
refused '/.oci/index.json: manifests.1.: config: rootfs.diff_ids of sha256:[0-9a-f]*: there are 2, and 1 layers'
assert_requests "$log" "$mark" 'GET .*/blobs/' 1 # its config; what was there already isn't asked for
assert_eq "the tag" "$before" "$(raw "$source")"

say "one with as many is published, without a look at its layers"
forget
jq -c --argjson e "$(entry "$T/published" arm)" '.manifests[1] = $e' "$index" >"$T/given"
cp "$T/given" "$index"
sync "$tag"
raw "$source" | cmp - "$T/given" || fail "the bytes"
assert_requests "$log" "$mark" 'GET .*/blobs/' 1
agree "$tag" "$source"

say "what the registry's config says wrongly can be put right"
cp "$T/third.tar.gz" "$folder/base.tar.gz"
sync "$tag"
jq -c '.rootfs.diff_ids |= reverse' "$config" >"$T/wrong.json"
stored "$source" "$(jq -r .config.digest "$manifest")" | jq -c '.rootfs.diff_ids' >"$T/right"
jq -c --arg d "$(digest_of "$T/wrong.json")" --argjson s "$(stat -c %s "$T/wrong.json")" \
    '.config |= (.digest = $d | .size = $s)' "$manifest" >"$T/wrong-manifest.json"
unmount "$tag"
upload=$(curl -sSf -X POST -D - -o /dev/null "http://${source%%/*}/v2/team/app/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //Ip')
[[ $upload == http* ]] || upload=http://${source%%/*}$upload
[[ $upload == *\?* ]] && upload+='&' || upload+='?'
curl -sSf -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$T/wrong.json" \
    "${upload}digest=$(digest_of "$T/wrong.json")"
single "$T/wrong-manifest.json" "$(source_of team/app wrong)"
source=$(source_of team/app wrong)
mount_indexfs "$source" "$tag"
jq -c --slurpfile d "$T/right" '.rootfs.diff_ids = $d[0]' "$config" >"$T/written.json"
cp "$T/written.json" "$config"
sync "$tag"
assert_eq "diff_ids" "$(jq -r 'join(" ")' "$T/right")" "$(diff_ids "$source" amd64)"
unmount "$tag"
