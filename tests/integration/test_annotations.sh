#!/bin/bash
# annotations.json at its five levels, of titles of every sort: what was written is published, what it
# doesn't mention is removed, all else keeps every byte; what isn't valid says where.
. "$(dirname "$0")/lib.sh"

tag=$T/v1
folder=$tag/linux-amd64
source=oci:$T/layout:v1

python3 - "$HERE" "$T/layout" <<'P'
import sys
sys.path.insert(0, sys.argv[1])
from foreign import *
layout = Layout(sys.argv[2])
titles = ["app", "share/doc/README", "share/café ☕", "/absolute", "../up", "a//b", ".", "twice", "twice",
    "annotations.json", ".oci/status", "line\nbreak", "$config", "$app", 'with "quotes" \\ and %41', "any~title"]
layers = [layout.blob(b"%d" % i, title) for i, title in enumerate(titles)] + [layout.blob(b"untitled")]
layers[0]["annotations"] = {"z.last": "1", "org.opencontainers.image.title": "app", "a.first": "2"}
config = layout.put("application/vnd.example.config", "{}")
config["annotations"] = {"c": "of the config"}
text = '{ "layers" : %s ,\n  "x-unknown": [1, 2.50],"annotations":{"m" :"of the manifest", "m2":"\\u00e9"},' \
    '"config":%s, "schemaVersion":2, "mediaType":"%s"}\n' % (json.dumps(layers), json.dumps(config), MANIFEST)
manifest = layout.put(MANIFEST, text)
layout.tag("v1", layout.index([entry(manifest, {"d": "of the entry"}, os="linux", architecture="amd64")],
    annotations={"i": "of the index"}))
P

documents() { # the documents as they are now
    cp "$tag/.oci/index.json" "$T/$1.index"
    cp "$folder/.oci/manifest.json" "$T/$1.manifest"
}

say "five levels; keys in the documents' order, layers under the names that they have here"
mount_indexfs "$source" "$tag"
cat >"$T/expected" <<'END'
{
  "$descriptor": {
    "d": "of the entry"
  },
  "$manifest": {
    "m": "of the manifest",
    "m2": "é"
  },
  "$config": {
    "c": "of the config"
  },
  "app": {
    "z.last": "1",
    "a.first": "2"
  }
}
END
diff "$T/expected" "$folder/annotations.json" || fail "annotations.json"
assert_eq "the index's" '{"i":"of the index"}' "$(jq -c . "$tag/annotations.json")"
find "$folder" -type f ! -name annotations.json -printf '%P\n' | sort >"$T/names"
assert_eq "layers" 17 "$(wc -l <"$T/names")"
documents before

say "an annotation for each layer; titles stay as they are"
annotate() { # what annotations.json says, with an annotation for each file below the folder
    python3 - "$folder" <<'P'
import json, os, sys
folder = sys.argv[1]
with open(os.path.join(folder, "annotations.json"), encoding="utf-8") as file:
    notes = json.load(file)
for parent, _, files in os.walk(folder):
    for name in files:
        path = os.path.relpath(os.path.join(parent, name), folder)
        if path != "annotations.json":
            # a name that begins with "$" is no part of the documents
            notes.setdefault("./" + path if path.startswith("$") else path, {})["is"] = path
with open(os.path.join(folder, "annotations.json"), "w", encoding="utf-8") as file:
    json.dump(notes, file)
P
}
annotate
sync "$tag"
documents after
python3 - "$T/before.manifest" "$T/after.manifest" "$T/names" <<'P'
import json, sys
before, after = (json.load(open(path, encoding="utf-8")) for path in sys.argv[1:3])
names = [line.rstrip("\n") for line in open(sys.argv[3], encoding="utf-8")]
shown = []
for layer in after["layers"]:
    shown.append(layer["annotations"].pop("is"))
    if not layer["annotations"]:
        del layer["annotations"]
assert sorted(shown) == sorted(names), (shown, names)
assert before == after, (before, after)
assert after["annotations"] == {"m": "of the manifest", "m2": "é"}
P
# what stands before the layers, and after them, to the byte
without_layers() { sed -e 's/"layers" : .*\] ,$/"layers" : [] ,/' "$1"; }
diff <(without_layers "$T/before.manifest") <(without_layers "$T/after.manifest") || fail "what isn't a layer has changed"

say "the same through extended attributes"
while read -r name; do
    assert_eq "$name" "$name" "$(getfattr --only-values --absolute-names -n user.oci.annotation.is "$folder/$name")"
    setfattr -x user.oci.annotation.is "$folder/$name"
done <"$T/names"
sync "$tag"
cmp "$folder/.oci/manifest.json" "$T/before.manifest" || fail "the manifest isn't what it was"
cmp "$tag/.oci/index.json" "$T/before.index" || fail "the index isn't what it was"

say "another order of the same is no change"
jq -c '{app, "$manifest", "$config", "$descriptor"} | .app |= {"a.first", "z.last"}' \
    "$folder/annotations.json" >"$T/new"
cp "$T/new" "$folder/annotations.json"
sync "$tag"
cmp "$tag/.oci/index.json" "$T/before.index" || fail "the index isn't what it was"
diff "$T/expected" "$folder/annotations.json" || fail "annotations.json isn't in the documents' order"

say "the whole truth: what isn't mentioned goes, an object of strings is the entry's alone"
echo '{"d2": "new"}' >"$folder/annotations.json"
echo '{}' >"$tag/annotations.json"
sync "$tag"
assert_eq "the entry" '{"d2":"new"}' "$(jq -c '.manifests[0].annotations' "$tag/.oci/index.json")"
assert_eq "the others" "null null null" "$(jq -r '"\(.annotations) \(.config.annotations) \(.layers[0].annotations["a.first"])"' \
    "$folder/.oci/manifest.json")"
assert_eq "the title" app "$(jq -r '.layers[0].annotations["org.opencontainers.image.title"]' "$folder/.oci/manifest.json")"
assert_eq "the index" null "$(jq -c .annotations "$tag/.oci/index.json")"
assert_missing "$tag/annotations.json"

say "what isn't valid: where, and what"
draft() { # TEXT MESSAGE
    assert_call "close EINVAL" put "$folder/annotations.json" "$1"
    assert_match "status, of $1" "$2" "$(jq -r '.drafts[0].message' "$tag/.oci/status")"
}
draft $'{\n  "a": "1",\n  "a": "2"\n}' 'line 3, column 3: .*"a".*twice'
draft $'{"app": {"x": "1"},\n "app": {}}' 'line 2, column 2: .*"app".*twice'
draft $'{"app": {"x": "1",\n  "x": "2"}}' 'line 2, column 3: .*"x".*twice'
draft '{"$descriptor": {}, "$nothing": {}}' 'line 1, column 21: .*nothing.* unknown'
draft $'{"app":\n {"x": 1}}' 'line 2, column 8: '
draft '{"app": {"x": "\u0000"}}' 'line 1, column 16: a NUL'
draft '{"$descriptor": "text", "app": {}}' 'line 1, column 17: '
assert_call EINVAL fsync "$tag"
: >"$folder/annotations.json" # a shell opens, and closes, before it writes
assert_call EINVAL fsync "$tag"
assert_match "status, of nothing" "empty" "$(jq -r '.drafts[0].message' "$tag/.oci/status")"
printf '\xef\xbb\xbf{"d": "with a byte order mark"}\r\n' >"$folder/annotations.json"
sync "$tag"
assert_eq "the entry" '{"d":"with a byte order mark"}' "$(jq -c '.manifests[0].annotations' "$tag/.oci/index.json")"

say "a note on a file that isn't there: named by the commit"
assert_call ok put "$folder/annotations.json" '{"nothing": {"a": "1"}}'
assert_call EINVAL fsync "$tag"
assert_match "the log" 'annotations.json: "nothing" is no file' "$(cat "$tag/.oci/log")"
touch "$folder/nothing"
sync "$tag"
assert_eq "now it is" '{"a":"1"}' "$(jq -c '.nothing' "$folder/annotations.json")"

say "an annotation of nothing, of a file that then has another name"
assert_call ok put "$folder/annotations.json" '{"nothing": {}, "app": {}}'
mv "$folder/nothing" "$folder/something"
sync "$tag"
assert_missing "$folder/annotations.json"

say "a file that was removed may still be mentioned, once"
rm "$folder/something"
assert_call ok put "$folder/annotations.json" '{"something": {"a": "1"}, "app": {"a": "1"}}'
sync "$tag"
assert_eq "what is left" '{"app":{"a":"1"}}' "$(jq -c . "$folder/annotations.json")"
echo more >>"$folder/app"
sync "$tag"
assert_eq "what is left" '{"app":{"a":"1"}}' "$(jq -c . "$folder/annotations.json")"

say "a folder with nothing but annotations.json can be removed"
mkdir "$tag/linux-arm64"
assert_call ok put "$tag/linux-arm64/annotations.json" '{"a": "1"}'
assert_call ok rmdir "$tag/linux-arm64"
mkdir "$tag/linux-arm64"
assert_call "close EINVAL" put "$tag/linux-arm64/annotations.json" '{"a": '
assert_call ok rmdir "$tag/linux-arm64"
assert_missing "$tag/linux-arm64"
sync "$tag"
assert_eq "entries" 1 "$(jq '.manifests | length' "$tag/.oci/index.json")"
unmount "$tag"
