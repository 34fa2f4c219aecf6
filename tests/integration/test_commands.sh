#!/bin/bash
# The command line: help, options, exit status, mounting in the background, unmounting.
. "$(dirname "$0")/lib.sh"

use_store layout
source=$(source_of app v1)
tag=$T/v1
mkdir -p "$tag"
printf 'program' >"$T/app"

status_of() {
    local status=0
    "$@" >"$T/out" 2>&1 || status=$?
    echo "$status"
}

say "help fits 80 columns, and names what there is"
"$INDEXFS" --help >"$T/help"
assert_eq "the longest line" "" "$(awk 'length > 80' "$T/help")"
for word in oci: ca-file umount publish-all; do
    grep -q "$word" "$T/help" || fail "help without $word"
done
assert_match "version" "^indexfs [0-9.]+$" "$("$INDEXFS" --version)"

for command in mount umount status commit login logout; do
    "$INDEXFS" "$command" --help >"$T/help"
    assert_eq "the longest line of $command --help" "" "$(awk 'length > 80' "$T/help")"
    assert_match "$command --help" "^usage: indexfs .*$command" "$(cat "$T/help")"
    "$INDEXFS" help "$command" | cmp - "$T/help"
done

say "wrong usage is 2, a failure 1, with the reason in one line"
assert_eq "no arguments" 2 "$(status_of "$INDEXFS")"
assert_eq "one argument" 2 "$(status_of "$INDEXFS" "$source")"
assert_eq "an unknown option" 2 "$(status_of "$INDEXFS" "$source" "$tag" -o jsom=pretty)"
assert_match "the nearest one" "json" "$(cat "$T/out")"
assert_eq "a bad value" 2 "$(status_of "$INDEXFS" "$source" "$tag" -o json=nice)"
assert_match "what it takes" "pretty" "$(cat "$T/out")"
assert_eq "a bad source" 1 "$(status_of "$INDEXFS" "localhost:1/UPPER:v1" "$tag")"
assert_match "one line" "^indexfs: [^"$'\n'"]*$" "$(grep -v '^hint:' "$T/out")"
assert_eq "no such mount point" 1 "$(status_of "$INDEXFS" "$source" "$T/nowhere")"
assert_eq "not a layout" 1 "$(status_of "$INDEXFS" "oci:$T:v1" "$tag")"
mountpoint -q "$tag" && fail "something is mounted"

say "a password in an option is refused, and not repeated"
for option in password=sesame pass=sesame pasword=sesame; do
    assert_eq "$option" 2 "$(status_of "$INDEXFS" "$source" "$tag" -o "$option")"
    assert_match "where it goes" "INDEXFS_PASSWORD.*indexfs login" "$(cat "$T/out")"
    ! grep -q sesame "$T/out" || fail "it was told: $(cat "$T/out")"
done

say "in the background: it returns once the mount answers"
(cd "$T" && "$INDEXFS" "oci:layout/app:v1" v1 -o state-dir=state,cache-dir=cache)
mountpoint -q "$tag" || fail "it returned without a mount"
mkdir "$tag/linux-amd64"
cp "$T/app" "$tag/linux-amd64/app"
sync "$tag"
cp "$T/app" "$tag/linux-amd64/more"

say "umount tells what isn't published, and returns when it's gone"
out=$("$INDEXFS" umount "$tag" 2>&1)
assert_match "what isn't published" "linux-amd64/more" "$out"
mountpoint -q "$tag" && fail "still mounted"
assert_eq "umount of what isn't mounted" 1 "$(status_of "$INDEXFS" umount "$tag")"

say "options show in what is published"
mount_indexfs "$source" "$tag" \
    "json=pretty,artifact-type=application/vnd.example.app,layer-type=text/plain,created=86400"
mkdir "$tag/linux-arm64"
cp "$T/app" "$tag/linux-arm64/app"
cp "$T/app" "$tag/linux-arm64/app.tar.gz"
sync "$tag"
agree "$tag" "$source"
manifest=$tag/linux-arm64/.oci/manifest.json
assert_eq "artifact type" application/vnd.example.app "$(jq -r .artifactType "$manifest")"
assert_eq "layer types" "text/plain application/vnd.oci.image.layer.v1.tar+gzip" \
    "$(jq -r '.layers[].mediaType' "$manifest" | xargs)"
assert_eq "created" 1970-01-02T00:00:00Z \
    "$(jq -r '.annotations["org.opencontainers.image.created"]' "$manifest")"
jq --indent 2 . "$manifest" | head -c -1 | cmp - "$manifest" || fail "not pretty"
unmount "$tag"

say "equal input gives equal digests"
for name in a b; do
    use_store layout
    mount_indexfs "oci:$T/$name:v1" "$T/mount-$name"
    mkdir "$T/mount-$name/linux-amd64"
    cp "$T/app" "$T/mount-$name/linux-amd64/app"
    sync "$T/mount-$name"
    unmount "$T/mount-$name"
    sleep 0.1
done
assert_eq "digests" "$(layout_descriptor "$T/a" v1)" "$(layout_descriptor "$T/b" v1)"

say "extended attributes tell what the documents say"
mount_indexfs "$source" "$tag"
xattr() {
    getfattr --only-values --absolute-names -n "user.oci.$1" "$2" 2>/dev/null
}
assert_eq "digest of a file" "sha256:$(sha256sum <"$T/app" | cut -d' ' -f1)" \
    "$(xattr digest "$tag/linux-arm64/app")"
assert_eq "digest of the tag" "sha256:$(raw "$source" | sha256sum | cut -d' ' -f1)" "$(xattr digest "$tag")"
assert_eq "size" 7 "$(xattr size "$tag/linux-arm64/app")"
assert_eq "platform" linux-arm64 "$(xattr platform "$tag/linux-arm64")"
echo changed >"$tag/linux-arm64/app"
assert_eq "state" staged "$(xattr state "$tag/linux-arm64/app")"

say "status is JSON that names what isn't published"
jq -e . "$tag/.oci/status" >/dev/null
grep -q linux-arm64/app "$tag/.oci/status" || fail "status: $(cat "$tag/.oci/status")"
sync "$tag"
grep -q linux-arm64/app "$tag/.oci/status" && fail "status after the commit: $(cat "$tag/.oci/status")"
unmount "$tag"

say "completion knows the commands, the options and the mounts"
# shellcheck source=../../scripts/completions/indexfs.bash
. "$ROOT/scripts/completions/indexfs.bash"
indexfs() { "$INDEXFS" "$@"; }
compopt() { :; }
complete_words() { # WORD...: the last one is to be completed
    COMP_WORDS=(indexfs "$@") COMP_CWORD=$#
    _indexfs
    printf '%s\n' "${COMPREPLY[@]}" | LC_ALL=C sort | xargs
}
assert_eq "commands" "status" "$(complete_words sta)"
assert_eq "flags" "--help --json --watch" "$(complete_words status --)"
assert_eq "options" "ca-file= cache-dir= cache-size=" "$(complete_words "$source" dir -o ca)"
assert_eq "options after others" "ro,json=" "$(complete_words "$source" dir -o ro,js)"
mount_indexfs "$source" "$tag"
assert_eq "mounts" "$tag" "$(complete_words umount "$T/")"
unmount "$tag"
assert_eq "every option that is in the manual" "" "$("$INDEXFS" --options | tr -d = | while read -r option; do
    grep -q "Cm $option\\b\|, $option\\b\| $option\\b" "$ROOT/docs/indexfs.1" || echo "$option"
done)"
