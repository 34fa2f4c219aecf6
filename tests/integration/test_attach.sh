#!/bin/bash
# Takes long: starts first.
# A folder made in .oci/referrers becomes an artifact whose subject is the index, or one platform's
# manifest: found through the Referrers API, under the tag of the tag schema, and in a layout; by
# several mounts at once; after a kill; and always of the same bytes.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"

start_fixture api
start_registry plain
kind=application.spdx+json

names() { find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs; }
is_listed() { [[ $(names "$1/.oci/referrers") =~ $2 ]]; }

publish() { # SOURCE DIR [OPTIONS]: a tag of two platforms, mounted
    mount_indexfs "$1" "$2" "${3-}"
    mkdir "$2/linux-amd64" "$2/linux-arm64"
    echo amd64 >"$2/linux-amd64/app"
    echo arm64 >"$2/linux-arm64/app"
    sync "$2"
}

attach() { # FOLDER TEXT: one artifact of one file
    mkdir "$1/.oci/referrers/$kind"
    echo "$2" >"$1/.oci/referrers/$kind/sbom.json"
}

# What the registry says refers to a digest: the list, through the API or the tag.
referrers() { # NAME DIGEST
    case $1 in
    api) curl -sS "http://${host[api]}/v2/team/app/referrers/$2" ;;
    plain) raw "${host[plain]}/team/app:${2/:/-}" ;;
    # a layout's index names them as it does any manifest: what they say is in their blobs
    layout) jq -r '.manifests[] | select(.artifactType == "application/spdx+json") | .digest' "$T/store/index.json" |
        while read -r digest; do
            manifest layout "$digest" | jq -c --arg digest "$digest" '{digest: $digest, artifactType, annotations, subject}'
        done | jq -s --arg subject "$2" '{manifests: map(select(.subject.digest == $subject))}' ;;
    esac
}

manifest() { # NAME DIGEST
    case $1 in
    layout) cat "$T/store/blobs/${2/://}" ;;
    *) raw "${host[$1]}/team/app@$2" ;;
    esac
}

for name in api plain layout; do
    source=${host[$name]-}/team/app:v1
    [[ $name != layout ]] || source=oci:$T/store:v1
    tag=$T/$name
    say "$name: an SBOM of the index, and one of a platform"
    publish "$source" "$tag"
    index=$(cat "$tag/.oci/digest")
    amd64=$(cat "$tag/linux-amd64/.oci/digest")
    attach "$tag" "of the index"
    attach "$tag/linux-amd64" "of amd64"
    echo '{"who": "me"}' >"$tag/.oci/referrers/$kind/annotations.json"
    assert_eq "uncommitted" ".oci/referrers/$kind .oci/referrers/$kind/sbom.json linux-amd64/.oci/referrers/$kind linux-amd64/.oci/referrers/$kind/sbom.json" \
        "$(jq -r '.uncommitted[]' "$tag/.oci/status" | grep referrers | sort | xargs)"
    sync "$tag"
    assert_eq "the index is as it was" "$index" "$(cat "$tag/.oci/digest")"
    assert_eq "uncommitted" "" "$(jq -r '.uncommitted[]' "$tag/.oci/status")"

    say "$name: found by others"
    sbom=$(referrers "$name" "$index" | jq -r '.manifests[0].digest')
    assert_eq "its type and annotation" "application/spdx+json me" \
        "$(referrers "$name" "$index" | jq -r --arg d "$sbom" '.manifests[] | select(.digest == $d) | "\(.artifactType) \(.annotations.who)"')"
    assert_eq "its subject" "$index $(wc -c <"$tag/.oci/index.json") application/vnd.oci.image.index.v1+json" \
        "$(manifest "$name" "$sbom" | jq -r '.subject | "\(.digest) \(.size) \(.mediaType)"')"
    assert_eq "its config and layer" "application/vnd.oci.empty.v1+json application/json sbom.json" \
        "$(manifest "$name" "$sbom" | jq -r '"\(.config.mediaType) \(.layers[0].mediaType) \(.layers[0].annotations["org.opencontainers.image.title"])"')"
    platform=$(cat "$tag/linux-amd64/.oci/referrers/$kind~"*/.oci/digest)
    assert_eq "of the platform" "$amd64" "$(manifest "$name" "$platform" | jq -r .subject.digest)"
    assert_eq "listed" "$platform" "$(referrers "$name" "$amd64" | jq -r '.manifests[].digest')"

    say "$name: here it is one that is published, and its old name is free"
    assert_eq "of the index" "$kind~${sbom:7:12}" "$(names "$tag/.oci/referrers")"
    assert_eq "its content" "of the index" "$(cat "$tag/.oci/referrers/$kind~${sbom:7:12}/sbom.json")"
    assert_call EPERM truncate "$tag/.oci/referrers/$kind~${sbom:7:12}/sbom.json" 0
    # shellcheck disable=SC2317 # called by name
    is_free() { [[ ! -e $tag/.oci/referrers/$kind ]]; }
    wait_until 5 is_free || fail "$kind is still there"
    attach "$tag" "a second one"
    sync "$tag/.oci/referrers/$kind/sbom.json"
    assert_eq "of the index" 2 "$(names "$tag/.oci/referrers" | wc -w)"
    assert_eq "listed" 2 "$(referrers "$name" "$index" | jq '.manifests | length')"

    say "$name: read by another mount"
    mount_indexfs "$source" "$T/other-$name"
    diff -r "$tag/.oci/referrers" "$T/other-$name/.oci/referrers"
    diff -r "$tag/linux-amd64/.oci/referrers" "$T/other-$name/linux-amd64/.oci/referrers"
    unmount "$T/other-$name"
    agree "$tag" "$source"
    unmount "$tag"
done
