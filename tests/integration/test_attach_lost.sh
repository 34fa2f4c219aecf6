#!/bin/bash
# What is to be attached to a platform that somebody else takes out of the tag meanwhile, or that isn't
# whole yet: it isn't lost, it is attached to nothing else, and the rest goes on.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"

start_fixture api
source=${host[api]}/team/app:v1
tag=$T/v1
attach() { # FOLDER TEXT
    mkdir "$1/.oci/referrers/a.b"
    echo "$2" >"$1/.oci/referrers/a.b/file"
}
# publish ARCH...: by a mount that doesn't watch what it has pushed any more
publish() {
    mount_indexfs "$source" "$T/first"
    for arch in "$@"; do
        mkdir "$T/first/linux-$arch"
        echo "$arch" >"$T/first/linux-$arch/app"
    done
    sync "$T/first"
    unmount "$T/first"
}
# others COMMAND: in a mount of their own
others() {
    mount_indexfs "$source" "$T/others"
    (cd "$T/others" && eval "$1")
    sync "$T/others"
    unmount "$T/others"
}
arches() { raw "$source" | jq -r '[.manifests[].platform.architecture] | join(" ")'; }

for way in looked-at never-looked-at; do
    say "its platform is removed by others: $way since the mount"
    publish amd64 arm64
    mount_indexfs "$source" "$tag" refresh=0
    attach "$tag/linux-arm64" "$way"
    [[ $way == looked-at ]] || kill_daemon "$tag"
    others 'rm -r linux-arm64'
    [[ $way == looked-at ]] || mount_indexfs "$source" "$tag" refresh=0
    echo more >>"$tag/linux-amd64/app"
    assert_call EINVAL fsync "$tag"
    assert_match "why" "linux-arm64 has no file" "$(cat "$tag/.oci/status")"
    assert_eq "it waits" "$way" "$(cat "$tag/linux-arm64/.oci/referrers/a.b/file")"
    kill_daemon "$tag"
    mount_indexfs "$source" "$tag" refresh=0
    assert_eq "after a kill" "$way" "$(cat "$tag/linux-arm64/.oci/referrers/a.b/file")"
    assert_eq "published" amd64 "$(arches)"
    echo "again, $way" >"$tag/linux-arm64/app"
    sync "$tag"
    assert_eq "published" "amd64 arm64" "$(arches)"
    assert_eq "attached" "$way" "$(cat "$tag/linux-arm64/.oci/referrers/a.b~"*/file)"
    rm -r "$tag/linux-arm64" "$tag/linux-amd64"
    sync "$tag"
    unmount "$tag"
done

say "the only file of its platform is still being written: both wait, and the rest goes"
publish amd64
mount_indexfs "$source" "$tag"
mkdir "$tag/linux-arm64"
exec 5>"$tag/linux-arm64/app"
echo begun >&5
attach "$tag/linux-arm64" "of what is being written"
echo more >>"$tag/linux-amd64/app"
sync "$tag"
assert_eq "the rest" "$(cat "$tag/.oci/digest")" "sha256:$(raw "$source" | sha256sum | cut -d' ' -f1)"
assert_eq "published" amd64 "$(arches)"
assert_eq "errors" 0 "$(jq '.errors | length' "$tag/.oci/status")"
exec 5>&-
sync "$tag"
assert_eq "attached" "of what is being written" "$(cat "$tag/linux-arm64/.oci/referrers/a.b~"*/file)"
unmount "$tag"
