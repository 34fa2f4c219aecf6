#!/bin/bash
# Sequences that random operations (tests/model) have found to come out wrong, reduced.
. "$(dirname "$0")/lib.sh"

use_store layout

# begin WHAT [OPTIONS]: a mount of a new tag, at $tag.
begin() {
    say "$1"
    number=$((number + 1))
    source=$(source_of "team/$number" v1)
    tag=$T/v$number
    options=${2-}
    mount_indexfs "$source" "$tag" "$options"
    mkdir "$tag/linux-amd64"
}
number=0

kill_and_mount() {
    kill_daemon "$tag"
    mount_indexfs "$source" "$tag" "$options"
    assert_eq "errors" "[]" "$(jq -c .errors "$tag/.oci/status")"
}

end() {
    sync "$tag"
    agree "$tag" "$source"
    unmount "$tag"
}

begin "what is done in a folder that a commit has left out, as it was empty, outlives a kill"
echo app >"$tag/linux-amd64/app"
mkdir -p "$tag/any/empty"
echo '{"k": "v"}' >"$tag/any/annotations.json"
sync "$tag"
mkdir "$tag/any/empty/share"
echo file >"$tag/any/empty/share/file"
kill_and_mount
assert_eq "the annotation" v "$(jq -r '.["$descriptor"].k' "$tag/any/annotations.json")"
assert_eq "the file" file "$(cat "$tag/any/empty/share/file")"
end

begin "so does such a folder with a scratch file in it, with its annotations"
echo app >"$tag/linux-amd64/app"
mkdir "$tag/any"
echo swap >"$tag/any/.app.swp"
echo '{"k": "v"}' >"$tag/any/annotations.json"
sync "$tag"
kill_and_mount
assert_eq "the annotation" v "$(jq -r '.["$descriptor"].k' "$tag/any/annotations.json")"
rm -r "$tag/any"
end

begin "nothing noted of a file that isn't there stands in no commit's way, before and after a kill"
echo app >"$tag/linux-amd64/app"
echo '{"other": {}}' >"$tag/linux-amd64/annotations.json"
sync "$tag"
echo more >>"$tag/linux-amd64/app"
kill_and_mount
end

begin "a file keeps its execute bit where it is renamed over another, and written"
install -m 755 /bin/true "$tag/linux-amd64/tool"
install -m 644 /bin/true "$tag/linux-amd64/app"
sync "$tag"
mv "$tag/linux-amd64/tool" "$tag/linux-amd64/app"
echo more >>"$tag/linux-amd64/app"
end

begin "a draft that was renamed into place and mended there isn't taken before its time"
touch "$tag/linux-amd64/other"
echo app >"$tag/linux-amd64/app"
echo '{"app": {"k": "v"}}' >"$tag/linux-amd64/annotations.json"
echo '{' >"$tag/linux-amd64/.notes.swp"
mv "$tag/linux-amd64/.notes.swp" "$tag/linux-amd64/annotations.json"
mkdir "$tag/linux-arm64"
mv "$tag/linux-amd64/app" "$tag/linux-arm64/app"
echo '{}' >"$tag/linux-amd64/annotations.json"
kill_and_mount
assert_eq "the annotation" v "$(jq -r '.app.k' "$tag/linux-arm64/annotations.json")"
end

begin "a file that is removed and made again has its annotations, over two kills in between"
touch "$tag/linux-amd64/other"
echo app >"$tag/linux-amd64/app"
echo '{"app": {"k": "v"}}' >"$tag/linux-amd64/annotations.json"
rm "$tag/linux-amd64/app"
kill_and_mount
assert_eq "its annotations" null "$(jq -c .app "$tag/linux-amd64/annotations.json")"
kill_and_mount
echo app >"$tag/linux-amd64/app"
assert_eq "its annotations" v "$(jq -r .app.k "$tag/linux-amd64/annotations.json")"
end

# others PATH TEXT: somebody else publishes a file.
others() {
    mount_indexfs "$source" "$tag-others"
    echo "$2" >"$tag-others/$1"
    sync "$tag-others"
    unmount "$tag-others"
}

shows() { # PATH TEXT
    [[ $(cat "$tag/$1" 2>/dev/null) == "$2" ]]
}

begin "what is settled as theirs is shown, around what is only here and an annotations.json without any" \
    refresh=off
mkdir "$tag/any"
echo app | tee "$tag/linux-amd64/app" >"$tag/any/app"
sync "$tag"
echo '{}' >"$tag/any/annotations.json"
echo swap >"$tag/any/.app.swp"
rm "$tag/any/app"
others any/app two
assert_call ESTALE fsync "$tag"
setfattr -n user.oci.settle -v "theirs any" "$tag"
sync "$tag"
assert_eq "theirs" two "$(cat "$tag/any/app")"
assert_eq "only here" swap "$(cat "$tag/any/.app.swp")"
rm "$tag/any/.app.swp"
end

begin "an empty folder keeps its annotations over a kill after others have moved the tag" refresh=0
echo app >"$tag/linux-amd64/app"
mkdir "$tag/any"
echo '{"k": "v"}' >"$tag/any/annotations.json"
sync "$tag"
mkdir "$tag/linux-arm64"
others linux-amd64/more more
wait_until 30 shows linux-amd64/more more || fail "what others have published isn't shown"
kill_and_mount
assert_eq "the annotation" v "$(jq -r '.["$descriptor"].k' "$tag/any/annotations.json")"
rm -r "$tag/any" "$tag/linux-arm64"
end

begin "a folder that a commit has left out is there after others have moved the tag, and a kill" refresh=0
mkdir "$tag/linux-arm64" "$tag/any" "$tag/windows-amd64"
echo app | tee "$tag/linux-amd64/app" "$tag/linux-amd64/tool" >"$tag/linux-arm64/app"
sync "$tag"
echo swap >"$tag/windows-amd64/.app.swp"
rm "$tag/windows-amd64/.app.swp"
mv "$tag/linux-amd64/app" "$tag/any/app"
others linux-arm64/app more
wait_until 30 shows linux-arm64/app more || fail "what others have published isn't shown"
echo '{"$descriptor": {"k": "v"}}' >"$tag/windows-amd64/annotations.json"
kill_and_mount
assert_eq "what was renamed into it" app "$(cat "$tag/any/app")"
assert_eq "its annotation" v "$(jq -r '.["$descriptor"].k' "$tag/windows-amd64/annotations.json")"
rm -r "$tag/windows-amd64"
end

begin "so is one that something is to be attached to, with its annotations" refresh=0
mkdir "$tag/linux-arm64" "$tag/any"
echo app | tee "$tag/linux-amd64/app" >"$tag/linux-arm64/app"
echo '{"$descriptor": {"k": "v"}}' >"$tag/any/annotations.json"
sync "$tag"
mkdir "$tag/any/.oci/referrers/a.b"
echo sbom >"$tag/any/.oci/referrers/a.b/sbom"
kill_and_mount
assert_eq "its annotation" v "$(jq -r '.["$descriptor"].k' "$tag/any/annotations.json")"
echo more >>"$tag/linux-amd64/app"
others linux-arm64/app more
wait_until 30 shows linux-arm64/app more || fail "what others have published isn't shown"
kill_and_mount
assert_eq "its annotation" v "$(jq -r '.["$descriptor"].k' "$tag/any/annotations.json")"
assert_eq "what is to be attached" sbom "$(cat "$tag/any/.oci/referrers/a.b/sbom")"
rm -r "$tag/any/.oci/referrers/a.b" "$tag/any"
end

begin "a scratch file in a directory that is renamed is none of the layers, and keeps its annotations"
mkdir "$tag/linux-amd64/bin"
echo app | tee "$tag/linux-amd64/bin/app" >"$tag/linux-amd64/bin/tool.part"
setfattr -n user.oci.annotation.k -v v "$tag/linux-amd64/bin/tool.part"
mv "$tag/linux-amd64/bin" "$tag/linux-amd64/share"
assert_missing "$tag/linux-amd64/annotations.json"
kill_and_mount
mv "$tag/linux-amd64/share/tool.part" "$tag/linux-amd64/share/tool"
assert_eq "its annotation" v "$(jq -r '.["share/tool"].k' "$tag/linux-amd64/annotations.json")"
end

begin "an empty directory of an empty one, both left out by a commit, can be touched and renamed"
echo app >"$tag/linux-amd64/app"
mkdir -p "$tag/linux-amd64/share/doc"
sync "$tag"
mv "$tag/linux-amd64/app" "$tag/linux-amd64/tool"
touch "$tag/linux-amd64/share"
mv "$tag/linux-amd64/share/doc" "$tag/linux-amd64/doc"
kill_and_mount
assert_eq "the files" tool "$(ls "$tag/linux-amd64")"
end

begin "what is given as it is already leaves nothing behind that a kill would bring back"
echo app >"$tag/linux-amd64/app"
sync "$tag"
digest=$(cat "$tag/.oci/digest")
for owner in "$tag" "$tag/linux-amd64"; do
    echo "$digest" >"$owner/.oci/subject"
    touch "$T/before"
    echo "$digest" >"$owner/.oci/subject"
done
taken() {
    [[ -z $(find "$T/state-v$number" -path '*/files/*' -newer "$T/before") ]]
}
wait_until 20 taken
kill_and_mount
assert_eq "the subjects" "$digest $digest" "$(cat "$tag/.oci/subject" "$tag/linux-amd64/.oci/subject" | xargs)"
end
