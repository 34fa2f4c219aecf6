#!/bin/bash
# Attaching beside all else: in the commit that makes its subject, from two mounts at once, with a
# kill between, without the network, where it is refused; and that the same makes the same digest.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"

start_fixture api
start_registry plain
kind=application.spdx+json
tag=$T/v1
source=${host[api]}/team/app:v1

names() { find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs; }
attach() { # FOLDER TEXT [TYPE]
    mkdir "$1/.oci/referrers/${3-$kind}"
    echo "$2" >"$1/.oci/referrers/${3-$kind}/sbom.json"
}
api() { curl -sS "http://${host[api]}/v2/team/app/referrers/$1" | jq -r '.manifests[].digest' | sort | xargs; }
say "which names can be made"
mount_indexfs "$source" "$tag"
mkdir "$tag/linux-amd64"
echo amd64 >"$tag/linux-amd64/app"
r=$tag/.oci/referrers
assert_calls <<EOF
EINVAL mkdir "$r/sbom"
EINVAL mkdir "$r/application.spdx json"
EINVAL mkdir "$r/application.spdx+json~0123456789ab"
EPERM create "$r/sbom.json"
ok mkdir "$r/$kind"
EEXIST mkdir "$r/$kind"
EPERM mkdir "$r/$kind/.oci/referrers/a.b"
EPERM create "$r/$kind/.oci/subject"
EPERM create "$r/$kind/.oci/manifest.json"
ok rmdir "$r/$kind"
ok mkdir "$r/a.b"
ok create "$r/a.b/file"
ENOTEMPTY rmdir "$r/a.b"
EPERM rename "$r/a.b" "$r/c.d"
EXDEV rename "$r/a.b" "$tag/linux-s390x"
ok unlink "$r/a.b/file"
ok rmdir "$r/a.b"
EOF
assert_match "the log" "application/spdx\+json is made as application.spdx\+json" "$(cat "$tag/.oci/log")"

say "in the commit that makes its subject: the new index and manifest are it, and come first"
attach "$tag" "of the index"
attach "$tag/linux-amd64" "of amd64"
mark=$(fixture_mark api)
sync "$tag"
index=$(cat "$tag/.oci/digest")
amd64=$(cat "$tag/linux-amd64/.oci/digest")
of_index=$(api "$index")
of_amd64=$(api "$amd64")
assert_eq "the order of documents" "/v2/team/app/manifests/$amd64 /v2/team/app/manifests/v1 /v2/team/app/manifests/$of_index /v2/team/app/manifests/$of_amd64" \
    "$(fixture_requests api "$mark" | awk '$1 == "PUT" && /\/manifests\// { print $2 }' | xargs)"
mark=$(fixture_mark api)
sync "$tag"
assert_eq "nothing is left to do" "" "$(fixture_requests api "$mark" | grep -v '^HEAD' || true)"

say "what is attached stays with its digest when the index is made anew"
echo more >>"$tag/linux-amd64/app"
sync "$tag"
assert_eq "of the new index" "" "$(names "$r")"
assert_eq "of the old one" "$of_index" "$(api "$index")"

say "a kill between cp and sync: it's there, and needs no network to be shown"
attach "$tag" "not yet" application.vnd.example.one
attach "$tag/linux-amd64" "not yet either"
mkdir -p "$tag/linux-amd64/.oci/referrers/$kind/share"
echo 2 >"$tag/linux-amd64/.oci/referrers/$kind/share/second"
echo '{"$manifest": {"who": "me"}}' >"$tag/linux-amd64/.oci/referrers/$kind/annotations.json"
setfattr -n user.oci.annotation.k -v v "$tag/linux-amd64/.oci/referrers/$kind/share/second"
kill_daemon "$tag"
fixture_set api "fault GET . always status=503" "fault HEAD . always status=503"
mount_indexfs "$source" "$tag" retries=0
assert_eq "after the kill" "not yet" "$(cat "$r/application.vnd.example.one/sbom.json")"
assert_eq "after the kill" "not yet either 2 me" \
    "$(cat "$tag/linux-amd64/.oci/referrers/$kind/sbom.json" "$tag/linux-amd64/.oci/referrers/$kind/share/second" | xargs) $(jq -r '.["$manifest"].who' "$tag/linux-amd64/.oci/referrers/$kind/annotations.json")"
attach "$tag" "made without a network" application.vnd.example.two
fixture_set api clear
remount "$source" "$tag"
sync "$tag"
index=$(cat "$tag/.oci/digest")
amd64=$(cat "$tag/linux-amd64/.oci/digest")
assert_eq "of the index" 2 "$(api "$index" | wc -w)"
assert_eq "of the platform" "2 me v" "$(raw "${source%:*}@$(api "$amd64")" | jq -r '"\(.layers | length) \(.annotations.who) \(.layers[1].annotations.k)"')"

say "refused: the tag is published, what is attached waits for the next commit"
echo again >>"$tag/linux-amd64/app"
attach "$tag" "refused at first"
fixture_set api "fault PUT /manifests/sha256:.* 2- status=403"
assert_call "EACCES" fsync "$tag"
assert_match "the log" "${kind/+/.}: not attached yet: .*HTTP 403" "$(grep "not committed" "$tag/.oci/log" | tail -n 1)"
assert_eq "the tag" "$(cat "$tag/.oci/digest")" "sha256:$(raw "$source" | sha256sum | cut -d' ' -f1)"
kill_daemon "$tag"
fixture_set api clear
mount_indexfs "$source" "$tag"
assert_eq "it waits" "refused at first" "$(cat "$r/$kind/sbom.json")"
sync "$tag"
assert_eq "of the index" 1 "$(api "$(cat "$tag/.oci/digest")" | wc -w)"

say "nothing to attach to; and a platform isn't removed with what waits for it"
mkdir "$tag/linux-arm64"
attach "$tag/linux-arm64" "of nothing"
assert_calls <<EOF
EINVAL fsync "$tag"
ENOTEMPTY rmdir "$tag/linux-arm64"
EOF
assert_match "the log" "linux-arm64 has no file: copy one into it" "$(cat "$tag/.oci/log")"
rm -r "$tag/linux-arm64/.oci/referrers/$kind"
rmdir "$tag/linux-arm64"
sync "$tag"

say "a file that is still being written: it waits, and the rest goes"
mkdir "$r/application.vnd.example.slow"
exec 5>"$r/application.vnd.example.slow/file"
echo begun >&5
before=$(api "$(cat "$tag/.oci/digest")")
sync "$tag"
assert_eq "not yet" "$before" "$(api "$(cat "$tag/.oci/digest")")"
echo end >&5
exec 5>&-
sync "$tag"
assert_eq "and now whole" "begun end" "$(xargs <"$r/application.vnd.example.slow~"*/file)"

say "to a folder whose files were removed: nothing is published until one of the two is put right"
mkdir "$tag/linux-arm64"
echo arm64 >"$tag/linux-arm64/app"
sync "$tag"
before=$(cat "$tag/.oci/digest")
mkdir "$tag/linux-arm64/.oci/referrers/a.b"
echo sbom >"$tag/linux-arm64/.oci/referrers/a.b/file"
rm "$tag/linux-arm64/app"
assert_call EINVAL fsync "$tag"
assert_match "why" 'linux-arm64 has no file: .* or remove linux-arm64/.oci/referrers/a.b' "$(jq -r '.errors[0].message' "$tag/.oci/status")"
assert_eq "the tag" "$before" "$(cat "$tag/.oci/digest")"
echo again >"$tag/linux-arm64/app"
sync "$tag"
assert_eq "attached" sbom "$(cat "$tag/linux-arm64/.oci/referrers/a.b~"*/file)"

say "a program that syncs and goes on to write: what is attached can't be changed"
assert_eq "what it is told" "EPERM" "$(python3 - "$r" <<'P'
import errno, os, sys
os.mkdir(sys.argv[1] + "/a.b")
fd = os.open(sys.argv[1] + "/a.b/file", os.O_CREAT | os.O_WRONLY)
os.write(fd, b"first")
os.fsync(fd)
try:
    os.write(fd, b"second")
    os.fsync(fd)
    print("nothing")
except OSError as error:
    print(errno.errorcode[error.errno])
P
)"
assert_eq "its content" first "$(cat "$r/a.b~"*/file)"
unmount "$tag"

say "the same files make the same digest, wherever it is done"
for name in one two; do
    mount_indexfs "oci:$T/layout-$name:v1" "$T/$name"
    mkdir "$T/$name/linux-amd64"
    echo amd64 >"$T/$name/linux-amd64/app"
    attach "$T/$name" "the same"
    sync "$T/$name"
done
assert_eq "names" "$(names "$T/one/.oci/referrers")" "$(names "$T/two/.oci/referrers")"
assert_eq "how many" 1 "$(names "$T/one/.oci/referrers" | wc -w)"

say "the same attached twice is there once"
attach "$T/one" "the same"
sync "$T/one"
assert_eq "names" "$(names "$T/two/.oci/referrers")" "$(names "$T/one/.oci/referrers" | tr ' ' '\n' | grep '~')"
unmount "$T/one"
unmount "$T/two"

say "a registry without a Referrers API: two mounts and another client, each keeps what others attached"
source=${host[plain]}/team/app:v1
mount_indexfs "$source" "$tag"
mkdir "$tag/linux-amd64"
echo amd64 >"$tag/linux-amd64/app"
sync "$tag"
index=$(cat "$tag/.oci/digest")
foreign=$(python3 "$HERE/referrer.py" "${source%:*}" "$index" application/vnd.example.sig sig signed)
mount_indexfs "$source" "$T/beside"
attach "$tag" "from here"
attach "$T/beside" "from there"
sync "$tag" &
sync "$T/beside"
wait $!
list=$(raw "${source%:*}:${index/:/-}")
assert_eq "how many" 3 "$(jq '.manifests | length' <<<"$list")"
assert_eq "the other client's" "$foreign" "$(jq -r '.manifests[] | select(.artifactType == "application/vnd.example.sig") | .digest' <<<"$list")"
unmount "$tag"
unmount "$T/beside"
