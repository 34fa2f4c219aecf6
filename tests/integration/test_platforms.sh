#!/bin/bash
# Platforms: every field of one becomes a folder's name and comes back, a folder is its entry in its
# place, other spellings lead to it, and what is no platform of ours stays as it is.
. "$(dirname "$0")/lib.sh"

python3 - "$HERE" "$T/layout" <<'P'
import sys
sys.path.insert(0, sys.argv[1])
from foreign import *
layout = Layout(sys.argv[2])
made = 0
def manifest():
    global made
    made += 1
    return layout.manifest([layout.blob(b"%d" % made, "app")])
inner = layout.index([entry(manifest(), os="linux", architecture="s390x"), entry(manifest())])
outer = layout.index([entry(inner, {REF_NAME: "deeper"}), entry(manifest(), os="linux", architecture="ppc64le")])
deep = layout.index([entry(manifest(), os="linux", architecture="amd64")])
for level in range(40):
    deep = layout.index([entry(deep, {REF_NAME: f"level{level}"})])
entries = [
    entry(manifest(), os="linux", architecture="amd64"),
    entry(manifest(), {"which": "the second"}, os="linux", architecture="amd64"),
    entry(manifest(), os="linux", architecture="amd64", variant="v3", os_features=["a+b", "c@d"]),
    entry(manifest(), os="windows", architecture="amd64", os_version="10.0.20348.2849", os_features=["win32k"]),
    entry(manifest(), os="darwin", architecture="arm64", os_version="macOS 12.6"),
    entry(manifest(), {"vnd.docker.reference.type": "attestation-manifest"}, os="unknown", architecture="unknown"),
    entry(manifest(), {"vnd.docker.reference.type": "attestation-manifest"}, os="unknown", architecture="unknown"),
    entry(manifest()),
    entry(manifest()),
    entry(outer, {REF_NAME: "nested"}),
    entry(layout.index([entry(inner)])),
    entry(deep, {REF_NAME: "deep"}),
    entry(manifest(), os="linux", architecture="amd64", os_version="ünïcode/50%-@home"),
]
entries[4]["platform"]["x-more"] = [1, 2]
texts = [json.dumps(item, separators=(", " if n % 2 else ",", " : " if n % 3 else ":")) for n, item in enumerate(entries)]
layout.tag("v1", layout.put(INDEX, '{"schemaVersion":2, "x-first": 1,\n"manifests":[ %s ]\n,"mediaType":"%s"}' % (
    " ,\n ".join(texts), INDEX)))
with open(sys.argv[2] + "/entries", "w", encoding="utf-8") as file:
    file.write("\n".join(texts) + "\n")
P
tag=$T/v1
source=oci:$T/layout:v1
short() { # N: "~" and 12 digits of the digest of the Nth entry
    sed -n "$1p" "$T/layout/entries" | jq -r '"~" + .digest[7:19]'
}
entries() { # each entry of the index as its exact text, a line each
    python3 - "$tag/.oci/index.json" <<'P'
import json, sys
text = open(sys.argv[1], encoding="utf-8").read()
at = text.index("[", text.index('"manifests"')) + 1
while True:
    at += len(text[at:]) - len(text[at:].lstrip(" ,\n"))
    if text[at] == "]":
        break
    end = json.JSONDecoder().raw_decode(text, at)[1]
    print(text[at:end])
    at = end
P
}
entry() { # NAME JQ: of the entry whose folder that is
    jq -r "$2" "$tag/$1/.oci/descriptor.json"
}

say "names"
mount_indexfs "$source" "$tag"
cat >"$T/expected" <<END
any
any$(short 9)
darwin-arm64@macOS 12.6
deep
index$(short 11)
linux-amd64
linux-amd64$(short 2)
linux-amd64-v3+a%2Bb+c%40d
linux-amd64@ünïcode%2F50%25%2D%40home
nested
unknown-unknown$(short 6)
unknown-unknown$(short 7)
windows-amd64@10.0.20348.2849+win32k
END
diff <(sort "$T/expected") <(ls "$tag" | sort) || fail "the names"
diff <(entries) "$T/layout/entries" || fail "the entries"

say "nested indexes are walked, to a depth that makes sense, and can't be changed"
assert_eq "three levels down" 2 "$(ls "$tag/nested/deeper" | wc -l)"
assert_eq "a file in there" 1 "$(cat "$tag/nested/deeper/linux-s390x/app")"
assert_eq "another spelling in there" 1 "$(cat "$tag/nested/deeper/linux_s390x/app")"
assert_calls <<EOF
EPERM mkdir "$tag/nested/linux-arm64"
EPERM create "$tag/nested/deeper/linux-s390x/new"
EPERM unlink "$tag/nested/deeper/linux-s390x/app"
EPERM setxattr "$tag/nested/linux-ppc64le" user.oci.annotation.a b
EPERM rename "$tag/nested/linux-ppc64le" "$tag/linux-ppc64le"
EPERM rename "$tag/nested" "$tag/linux-ppc64le"
EPERM create "$tag/nested/new"
EOF
path=$tag/deep
for ((level = 39; level > 23; level--)); do path+=/level$level; done
assert_call ok stat "$path"
assert_call ELOOP listdir "$path"
assert_match "the log" "nested deeper than 16" "$(cat "$tag/.oci/log")"

say "what is made comes back as it was made"
names=(linux-arm-v7 'windows-arm64@10.0.1+win32k+a b' 'linux-riscv64@1.0~rc1' 'darwin-amd64@a%2Fb%25%2D%40%2B'
    'linux-amd64@日本語' 'plan9-my%2Darch-v%40x' 'linux-arm64@v+%2B+%2F' "linux-loong64+it's")
for name in "${names[@]}"; do
    mkdir "$tag/$name"
    echo "$name" >"$tag/$name/app"
done
sync "$tag"
assert_eq "an os.version" 'a/b%-@+' "$(entry 'darwin-amd64@a%2Fb%25%2D%40%2B' '.platform["os.version"]')"
assert_eq "os.features" '["win32k","a b"]' "$(entry 'windows-arm64@10.0.1+win32k+a b' '.platform["os.features"] | tojson')"
assert_eq "odd names" 'plan9 my-arch v@x' "$(entry 'plan9-my%2Darch-v%40x' '.platform | "\(.os) \(.architecture) \(.variant)"')"
diff <(entries | sed -n 1,13p) "$T/layout/entries" || fail "the others have changed"
remount "$source" "$tag"
for name in "${names[@]}"; do
    assert_eq "read again" "$name" "$(cat "$tag/$name/app")"
done
assert_eq "lower case" 'darwin-amd64@a%2Fb%25%2D%40%2B' "$(cat "$tag/darwin-amd64@a%2fb%25%2d%40%2b/app")"
for name in "${names[@]}"; do rm -r "${tag:?}/$name"; done

say "a folder that is there is its entry, in its place: no second one"
echo changed >"$tag/windows-amd64@10.0.20348.2849+win32k/app"
echo new >"$tag/linux-amd64-v3+a%2Bb+c%40d/new"
sync "$tag"
assert_eq "platforms" "$(jq -c .platform "$T/layout/entries")" "$(entries | jq -c .platform)"
diff <(entries | sed '3d;4d') <(sed '3d;4d' "$T/layout/entries") || fail "the others have changed"

say "other spellings open, and make, the folder that they mean"
echo via >"$tag/linux-x86_64/via"
assert_eq "in the canonical folder" via "$(cat "$tag/linux-amd64/via")"
assert_calls <<EOF
EEXIST mkdir "$tag/linux_amd64"
ok mkdir "$tag/macos-aarch64"
EEXIST mkdir "$tag/darwin-arm64"
ok mkdir "$tag/linux_arm64_v8"
ok mkdir "$tag/linux-armv7"
ok stat "$tag/linux-arm-v7"
EEXIST rename-noreplace "$tag/linux-armv7" "$tag/linux_x86_64"
ok rename "$tag/linux-armv7" "$tag/linux-armv6"
EINVAL mkdir "$tag/notes"
EINVAL mkdir "$tag/linux-"
EINVAL mkdir "$tag/linux-amd64-v1-x"
EINVAL mkdir "$tag/linux-amd64@"
EINVAL mkdir "$tag/linux-amd64+"
EINVAL mkdir "$tag/linux-amd64@%zz"
EINVAL mkdir "$tag/linux-amd64~0123456789ab"
EOF
assert_eq "made" "darwin-arm64 linux-arm-v6 linux-arm64-v8" \
    "$(cd "$tag" && ls -d darwin-arm64 linux-arm* | sort | xargs)"
rmdir "$tag/darwin-arm64" "$tag/linux_armv6" "$tag/linux-arm64-v8"
rm "$tag/linux-amd64/via"
sync "$tag"

say "a renamed folder is the same manifest for another platform; unknown members stay"
digest=$(cat "$tag/darwin-arm64@macOS 12.6/.oci/digest")
mv "$tag/darwin-arm64@macOS 12.6" "$tag/macos-arm64@macOS 13"
sync "$tag"
assert_eq "the manifest" "$digest" "$(entry 'darwin-arm64@macOS 13' .digest)"
assert_eq "the platform" '{"os":"darwin","architecture":"arm64","os.version":"macOS 13","x-more":[1,2]}' \
    "$(entry 'darwin-arm64@macOS 13' '.platform | tojson')"
assert_eq "its place" "macOS 13" "$(jq -r '.manifests[4].platform["os.version"]' "$tag/.oci/index.json")"
mv "$tag/darwin-arm64@macOS 13" "$tag/darwin-arm64@macOS 12.6"
mv "$tag/any" "$tag/linux-mips64"
sync "$tag"
assert_eq "a platform where there was none" linux/mips64 "$(jq -r '.manifests[7].platform | "\(.os)/\(.architecture)"' "$tag/.oci/index.json")"
assert_eq "the second one without is the first now" "$(sed -n 9p "$T/layout/entries" | jq -r .digest)" "$(entry any .digest)"
diff <(entries | sed '3d;4d;8d') <(sed '3d;4d;8d' "$T/layout/entries") || fail "the others have changed"
mv "$tag/any" "$tag/linux-mips"
mv "$tag/linux-mips64" "$tag/any"
sync "$tag"
assert_eq "none again" "null mips" "$(jq -r '.manifests | "\(.[7].platform) \(.[8].platform.architecture)"' "$tag/.oci/index.json")"
mv "$tag/linux-amd64$(short 2)" "$tag/linux-386"
sync "$tag"
assert_eq "a second one gets a platform of its own" "386 the second" \
    "$(entry linux-386 '.platform.architecture + " " + .annotations.which')"

say "a second one is named by its digest, also after it was changed and killed"
python3 - "$HERE" "$T/twins" <<'P'
import sys
sys.path.insert(0, sys.argv[1])
from foreign import *
layout = Layout(sys.argv[2])
manifests = [layout.manifest([layout.blob(b"%d" % n, "app")]) for n in range(3)]
amd64 = {"os": "linux", "architecture": "amd64"}
layout.tag("v1", layout.index([entry(manifests[0], **amd64), entry(manifests[1], **amd64),
    entry(manifests[2], os="unknown", architecture="unknown")]))
P
unmount "$tag"
source=oci:$T/twins:v1
restart() {
    kill_daemon "$tag"
    mount_indexfs "$source" "$tag"
}
named() { # the names are those that the entries' digests give
    assert_eq "names" "linux-amd64 $(jq -r '.manifests[1:][] | "\(.platform.os)-\(.platform.architecture)~\(.digest[7:19])"' \
        "$tag/.oci/index.json" | xargs)" "$(ls "$tag" | xargs)"
}
mount_indexfs "$source" "$tag"
for text in once twice; do
    named
    for folder in "$tag"/*~*; do echo $text >"$folder/app"; done
    sync "$tag"
    named
done
for folder in "$tag"/*~*; do echo thrice >"$folder/app"; done
restart
assert_eq "what wasn't committed" "thrice thrice" "$(cat "$tag"/*~*/app | xargs)"
sync "$tag"
named
rm -r "$tag/linux-amd64"
sync "$tag"
assert_eq "the second is the first now" thrice "$(cat "$tag/linux-amd64/app")"
echo more >>"$tag/linux-amd64/app"
assert_call EEXIST mkdir "$tag/linux-amd64"
restart
assert_eq "what wasn't committed" "thrice more" "$(xargs <"$tag/linux-amd64/app")"
sync "$tag"
assert_eq "errors" "[]" "$(jq -c .errors "$tag/.oci/status")"

say "all of it over a remount"
ls "$tag" >"$T/names"
remount "$source" "$tag"
diff "$T/names" <(ls "$tag") || fail "the names"
unmount "$tag"
