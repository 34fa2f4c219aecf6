#!/bin/bash
# Annotations as extended attributes: set, replaced and removed, on the tag, a platform folder and a
# file; annotations.json agrees at once, copying programs take them along, and nothing is lost.
. "$(dirname "$0")/lib.sh"

use_store layout
source=$(source_of app v1)
tag=$T/v1
a=user.oci.annotation
state=$T/state

get() { # PATH NAME (after user.oci.)
    getfattr --only-values --absolute-names -n "user.oci.$2" "$1" 2>/dev/null || echo "none"
}

set_to() { # PATH NAME VALUE
    setfattr -n "user.oci.$2" -v "$3" "$1"
}

names() { # PATH: what listxattr tells, sorted
    getfattr -m - --absolute-names "$1" | sed '1d;/^$/d' | sort | xargs
}

note() { # FOLDER PART KEY: the same annotation as annotations.json has it
    jq -r --arg part "$2" --arg key "$3" '.[$part][$key] // "none"' "$1/annotations.json" 2>/dev/null || echo none
}

kill_and_mount() {
    kill_daemon "$tag"
    mount_indexfs "$source" "$tag" "state-dir=$state"
}

mount_indexfs "$source" "$tag" "state-dir=$state"
folder=$tag/linux-amd64
mkdir "$folder"
random_file "$T/app" 30000
cp "$T/app" "$folder/app"

say "set on the tag, a platform folder and a file: annotations.json shows it at once"
assert_missing "$tag/annotations.json"
set_to "$tag" annotation.org.example.index "of all"
assert_eq "the tag's" "of all" "$(jq -r '.["org.example.index"]' "$tag/annotations.json")"
set_to "$folder" annotation.org.example.k "of the entry"
set_to "$folder/app" annotation.org.example.k "of the layer"
assert_eq "the entry's" "of the entry" "$(note "$folder" '$descriptor' org.example.k)"
assert_eq "the layer's" "of the layer" "$(note "$folder" app org.example.k)"
assert_eq "read back" "of the layer" "$(get "$folder/app" annotation.org.example.k)"

say "and the other way round, also right after it was written, and while somebody has it open"
echo '{"$descriptor": {"org.example.k": "1"}, "$manifest": {"m": "2"}, "app": {"org.example.k": "3"}}' \
    >"$folder/annotations.json"
assert_eq "the entry's" 1 "$(get "$folder" annotation.org.example.k)"
python3 - "$folder" <<'P'
import os, sys
folder = sys.argv[1]
def read_beside(change):
    """What was opened is read to its end, as it was then, whatever is set meanwhile."""
    with open(folder + "/annotations.json", "rb") as file:
        want = file.read()
    fd = os.open(folder + "/annotations.json", os.O_RDONLY)
    got = os.read(fd, 10)
    change()
    os.stat(folder + "/annotations.json")
    while data := os.read(fd, 10):
        got += data
    os.close(fd)
    assert got == want, (got, want)
name = "user.oci.annotation.org.example.k"
read_beside(lambda: os.setxattr(folder, name, b"much longer than it was")) # text that was written
read_beside(lambda: os.setxattr(folder, name, b"not 1")) # text that is made
P
assert_eq "annotations.json" "not 1" "$(note "$folder" '$descriptor' org.example.k)"
assert_eq "what it doesn't concern" 2 "$(note "$folder" '$manifest' m)"

say "the flags of setxattr"
assert_calls <<EOF
EEXIST setxattr "$folder/app" $a.org.example.k v create
ENODATA setxattr "$folder/app" $a.org.example.new v replace
ok setxattr "$folder/app" $a.org.example.new v create
ok setxattr "$folder/app" $a.org.example.new w replace
EOF
assert_eq "replaced" w "$(get "$folder/app" annotation.org.example.new)"

say "removed"
assert_calls <<EOF
ok removexattr "$folder/app" $a.org.example.new
ENODATA removexattr "$folder/app" $a.org.example.new
ENODATA getxattr "$folder/app" $a.org.example.new
EOF
assert_eq "annotations.json" none "$(note "$folder" app org.example.new)"

say "what can be copied is listed, what is true of one file alone isn't"
assert_eq "a file's names" "$a.org.example.k" "$(names "$folder/app")"
assert_eq "its state" staged "$(get "$folder/app" state)"
assert_calls <<EOF
EPERM setxattr "$folder/app" user.oci.digest sha256:00
EPERM setxattr "$folder/app" user.oci.state cached
ok setxattr "$folder/app" user.oci.state staged # it is so
EPERM removexattr "$folder/app" user.oci.state
EPERM setxattr "$folder" user.oci.platform linux-arm64
EPERM setxattr "$folder" user.oci.mediatype text/plain
EPERM setxattr "$folder/app" $a.org.opencontainers.image.title other
EPERM setxattr "$folder/app" $a.dev.indexfs.mode 0755
EOF

say "other attributes are none of this filesystem"
assert_calls <<EOF
ENOTSUP setxattr "$folder/app" user.other v
ENOTSUP setxattr "$folder/app" user.oci.other v
ENOTSUP setxattr "$folder/app" user.oci.annotation. v
ENODATA getxattr "$folder/app" user.other
ENODATA removexattr "$folder/app" user.other
ENOTSUP setxattr "$folder/app" trusted.other v
EOF
mkdir "$folder/share"
assert_calls <<EOF
EPERM setxattr "$folder/share" $a.k v
EPERM setxattr "$folder/annotations.json" $a.k v
EOF

say "values: empty, Unicode, 64 KiB; not what no document can hold"
for value in '' 'café ☕ "quoted" \ and\nmore' $'two\nlines'; do
    set_to "$folder/app" annotation.value "$value"
    assert_eq "the value" "$value" "$(note "$folder" app value | sed 's/^none$//')"
done
assert_call ok setxattr "$folder/app" $a.value @65536
assert_eq "its length" 65536 "$(get "$folder/app" annotation.value | wc -c)"
assert_calls <<EOF
E2BIG setxattr "$folder/app" $a.value @65537
EINVAL setxattr "$folder/app" $a.value x:ff
EINVAL setxattr "$folder/app" $a.value x:610062
EOF
assert_eq "what was refused has changed nothing" 65536 "$(get "$folder/app" annotation.value | wc -c)"

say "more than annotations.json can hold: EFBIG, and nothing has changed"
python3 - "$folder/annotations.json" <<'P'
import json, sys
with open(sys.argv[1], "w", encoding="utf-8") as file:
    json.dump({"$descriptor": {"org.example.k": "1"}, "app": {"large": "x" * ((4 << 20) - 40000), "value": "v"}}, file)
P
assert_calls <<EOF
EFBIG setxattr "$folder/app" $a.more @40000
EFBIG setxattr "$folder" $a.more @40000
ENODATA getxattr "$folder" $a.more
ok setxattr "$folder/app" $a.more @30000
E2BIG getxattr "$folder/app" $a.large
ok removexattr "$folder/app" $a.large
ok removexattr "$folder/app" $a.more
EOF
assert_call ok removexattr "$folder/app" $a.value

say "a broken draft is mended first: it is the whole truth, and would undo what is set beside it"
assert_calls <<EOF
"close EINVAL" put "$folder/annotations.json" '{broken'
EINVAL setxattr "$folder/app" $a.k v
EINVAL removexattr "$folder" $a.org.example.k
EOF
assert_match "the log" "linux-amd64.*annotations.json isn't valid" "$(cat "$tag/.oci/log")"
assert_calls <<EOF
ok setxattr "$tag" $a.k v # another document's
ok put "$folder/annotations.json" '{"\$descriptor": {"d": "1"}, "app": {"l": "2"}}'
ok setxattr "$folder/app" $a.k v
EOF

say "the media type of a file that isn't published yet"
assert_eq "by its name" application/octet-stream "$(get "$folder/app" mediatype)"
assert_calls <<EOF
EINVAL setxattr "$folder/app" user.oci.mediatype "no type"
ok setxattr "$folder/app" user.oci.mediatype application/vnd.example.app
EOF
assert_eq "names" "$a.k $a.l user.oci.mediatype" "$(names "$folder/app")"
mv "$folder/app" "$folder/tool"
printf '%s' more >>"$folder/tool"
assert_eq "renamed" application/vnd.example.app "$(get "$folder/tool" mediatype)"

say "all of it is there after kill -9, and after an unmount"
for _ in 1 2; do
    kill_and_mount
    assert_eq "the media type" application/vnd.example.app "$(get "$folder/tool" mediatype)"
    assert_eq "the layer's" "v 2" "$(get "$folder/tool" annotation.k) $(get "$folder/tool" annotation.l)"
    assert_eq "the entry's" 1 "$(get "$folder" annotation.d)"
    assert_eq "the tag's" "of all v" "$(get "$tag" annotation.org.example.index) $(get "$tag" annotation.k)"
done
remount "$source" "$tag" "state-dir=$state"
assert_eq "the media type" application/vnd.example.app "$(get "$folder/tool" mediatype)"
assert_call ok removexattr "$tag" $a.k
kill_and_mount
assert_eq "removed, and killed" none "$(get "$tag" annotation.k)"

say "published"
sync "$tag"
agree "$tag" "$source"
layer() { jq -c '.layers[0] | [.mediaType, .annotations.k]' "$folder/.oci/manifest.json"; }
assert_eq "the layer" '["application/vnd.example.app","v"]' "$(layer)"
assert_eq "of the tag" "application/vnd.oci.image.index.v1+json sha256:$(sha256sum <"$tag/.oci/index.json" | cut -d' ' -f1) $(wc -c <"$tag/.oci/index.json")" \
    "$(get "$tag" mediatype) $(get "$tag" digest) $(get "$tag" size)"
assert_eq "of the entry" "$(jq -r '.manifests[0] | "\(.mediaType) \(.digest) \(.artifactType)"' "$tag/.oci/index.json") linux-amd64" \
    "$(get "$folder" mediatype) $(get "$folder" digest) $(get "$folder" artifacttype) $(get "$folder" platform)"
assert_eq "of the file" "$(jq -r '.layers[0] | "\(.mediaType) \(.digest) \(.size)"' "$folder/.oci/manifest.json") cached" \
    "$(get "$folder/tool" mediatype) $(get "$folder/tool" digest) $(get "$folder/tool" size) $(get "$folder/tool" state)"
assert_calls <<EOF
EPERM setxattr "$folder/tool" user.oci.mediatype text/plain
EPERM removexattr "$folder/tool" user.oci.mediatype
ok setxattr "$folder/tool" user.oci.mediatype application/vnd.example.app
EOF
printf '%s' more >>"$folder/tool"
assert_call ok setxattr "$folder/tool" user.oci.mediatype text/plain
sync "$tag"
assert_eq "the layer" '["text/plain","v"]' "$(layer)"
assert_call ok setxattr "$folder/tool" $a.k v # as it is: nothing has changed
assert_eq "uncommitted" "[]" "$(jq -c .uncommitted "$tag/.oci/status")"

say "the last one removed: annotations.json goes"
for name in $(names "$folder/tool"); do assert_call ok removexattr "$folder/tool" "$name"; done
assert_call ok removexattr "$folder" $a.d
assert_missing "$folder/annotations.json"
assert_call ok removexattr "$tag" $a.org.example.index
assert_missing "$tag/annotations.json"
sync "$tag"
agree "$tag" "$source"

say "a folder that nobody has looked into"
remount "$source" "$tag" "state-dir=$state"
assert_call ok setxattr "$folder" $a.first touched
sync "$tag"
assert_eq "the entry" touched "$(raw "$source" | jq -r '.manifests[0].annotations.first')"
agree "$tag" "$source"

say "a media type that was published is the layer's, and set no longer: the same after a kill"
echo typed >"$folder/typed"
set_to "$folder/typed" mediatype text/x-a
assert_eq "set" user.oci.mediatype "$(names "$folder/typed")"
sync "$tag"
truncate -s 3 "$folder/typed"
for _ in before after; do
    assert_eq "attributes" "" "$(names "$folder/typed")"
    assert_eq "the type" text/x-a "$(get "$folder/typed" mediatype)"
    kill_daemon "$tag"
    mount_indexfs "$source" "$tag" "state-dir=$state"
done
sync "$tag"
assert_eq "published" text/x-a "$(raw_at "$source" "$(raw "$source" | jq -r '.manifests[0].digest')" |
    jq -r '.layers[] | select(.annotations["org.opencontainers.image.title"] == "typed") | .mediaType')"
agree "$tag" "$source"
unmount "$tag"

say "a read-only mount"
mount_indexfs "$source" "$T/ro" ro
assert_calls <<EOF
EROFS setxattr "$T/ro/linux-amd64" $a.first again
EROFS removexattr "$T/ro/linux-amd64" $a.first
EOF
assert_eq "read" touched "$(get "$T/ro/linux-amd64" annotation.first)"
unmount "$T/ro"
