#!/bin/bash
# .oci/referrers: what others have attached to an index or to one platform, found by the Referrers
# API, by the tag schema and in a layout, each a read-only folder, listed when somebody looks.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"

start_fixture api
start_registry plain

attach() { python3 "$HERE/referrer.py" "$@"; }
short() { local hex=${1#sha256:}; echo "${hex:0:12}"; }
names() { find "$1" -mindepth 1 -maxdepth 1 -printf '%f\n' | sort | xargs; }
listed() { fixture_requests api "$1" | grep -c /referrers/ || true; }

publish() { # SOURCE DIR [OPTIONS]: a tag of two platforms, mounted
    mount_indexfs "$1" "$2" "${3-}"
    mkdir "$2/linux-amd64" "$2/linux-arm64"
    echo amd64 >"$2/linux-amd64/app"
    echo arm64 >"$2/linux-arm64/app"
    sync "$2"
}

for name in api plain; do
    say "$name: nothing refers to a new tag; others attach to the index and to one platform"
    source=${host[$name]}/team/app:v1
    tag=$T/$name
    publish "$source" "$tag" refresh=0
    assert_eq "of the index" "" "$(names "$tag/.oci/referrers")"
    assert_eq "of a platform" "" "$(names "$tag/linux-amd64/.oci/referrers")"
    index=$(cat "$tag/.oci/digest")
    amd64=$(cat "$tag/linux-amd64/.oci/digest")
    sbom=$(attach "${source%:*}" "$index" application/spdx+json share/sbom.json '{"spdx": 1}' k=v)
    old=$(attach "${source%:*}" "$index" - note.txt "an old one")
    signature=$(attach "${source%:*}" "$amd64" application/vnd.example.signature sig "signed")

    say "$name: listed anew when somebody looks, as a tag is asked again"
    shown="application.spdx+json~$(short "$sbom") application.vnd.example.config~$(short "$old")"
    listed_as() { [[ $(names "$1") == "$2" ]]; }
    wait_until 5 listed_as "$tag/.oci/referrers" "$shown" ||
        fail "the index's: $(names "$tag/.oci/referrers"), not $shown"
    wait_until 5 listed_as "$tag/linux-amd64/.oci/referrers" "application.vnd.example.signature~$(short "$signature")" ||
        fail "the platform's: $(names "$tag/linux-amd64/.oci/referrers")"
    assert_eq "of the other platform" "" "$(names "$tag/linux-arm64/.oci/referrers")"

    say "$name: each has the shape of a platform folder"
    folder=$tag/.oci/referrers/application.spdx+json~$(short "$sbom")
    assert_eq "the size" 11 "$(stat -c %s "$folder/share/sbom.json")"
    assert_eq "the content" '{"spdx": 1}' "$(cat "$folder/share/sbom.json")"
    assert_eq "its annotation" v "$(jq -r '.["$manifest"].k' "$folder/annotations.json")"
    assert_eq "its digest" "$sbom" "$(cat "$folder/.oci/digest")"
    assert_eq "its manifest" "$sbom" "sha256:$(sha256sum <"$folder/.oci/manifest.json" | cut -d' ' -f1)"
    assert_eq "its subject" "$index" "$(jq -r .subject.digest "$folder/.oci/manifest.json")"
    assert_eq "its type" application/spdx+json "$(cat "$folder/.oci/artifact-type")"
    assert_eq "what refers to it" "" "$(names "$folder/.oci/referrers")"

    say "$name: and can't be changed"
    assert_calls <<EOF
EPERM create "$folder/new"
EPERM mkdir "$folder/new"
EPERM unlink "$folder/share/sbom.json"
EPERM truncate "$folder/share/sbom.json" 0
EPERM rmdir "$folder"
EPERM rename "$folder" "$tag/.oci/referrers/other"
EPERM setxattr "$folder" user.oci.annotation.k w
EPERM create "$tag/.oci/referrers/file"
EPERM rmdir "$tag/.oci/referrers"
EOF
    unmount "$tag"
done

say "no listing shows .oci, and nothing is asked for before somebody looks into it"
mark=$(fixture_mark api)
mount_indexfs "${host[api]}/team/app:v1" "$T/lazy"
find "$T/lazy" >"$T/found"
assert_eq "of .oci" 0 "$(grep -c '/\.oci' "$T/found" || true)"
ls "$T/lazy/.oci" "$T/lazy/linux-amd64/.oci" >/dev/null
assert_eq "lists asked for" 0 "$(listed "$mark")"
for _ in 1 2 3; do assert_eq "shown" 2 "$(names "$T/lazy/.oci/referrers" | wc -w)"; done
assert_eq "lists asked for" 1 "$(listed "$mark")"

say "an index that is another has other referrers: none yet"
echo more >>"$T/lazy/linux-arm64/app"
assert_eq "as long as it isn't committed" 2 "$(names "$T/lazy/.oci/referrers" | wc -w)"
sync "$T/lazy"
assert_eq "of the new index" "" "$(names "$T/lazy/.oci/referrers")"
assert_eq "of the platform that is as it was" 1 "$(names "$T/lazy/linux-amd64/.oci/referrers" | wc -w)"

say "a registry that doesn't answer: an error, told; what was listed stays"
fixture_set api "fault GET /referrers/ always status=403"
assert_call EACCES listdir "$T/lazy/linux-arm64/.oci/referrers"
assert_match "the log" "linux-arm64/.oci/referrers: can't be read" "$(cat "$T/lazy/.oci/log")"
assert_eq "what was listed" 1 "$(names "$T/lazy/linux-amd64/.oci/referrers" | wc -w)"
fixture_set api clear
assert_eq "once it answers" "" "$(names "$T/lazy/linux-arm64/.oci/referrers")"
unmount "$T/lazy"

say "hostile lists: names are names, and never paths"
python3 - "$HERE" "$T/hostile" <<'P'
import sys
sys.path.insert(0, sys.argv[1])
from foreign import *
layout = Layout(sys.argv[2])
manifest = layout.manifest([layout.blob(b"bytes", "app")])
layout.tag("v1", manifest)
for i, kind in enumerate(["../../etc/passwd", "a/b/c", "", "..", "~", "x" * 3000, "a.b/c", "line\nbreak", "Ä/ö", "a/b~000000000000"]):
    layout.tag("r%d" % i, layout.manifest([layout.blob(b"text", "../../title")], artifactType=kind, subject=manifest))
P
mount_indexfs "oci:$T/hostile:v1" "$T/mount-hostile" ro
names "$T/mount-hostile/.oci/referrers" | tr ' ' '\n' | sed 's/~[0-9a-f]*$//; s/x\{187\}/LONG/' |
    LC_ALL=C sort >"$T/names"
diff "$T/names" - <<'EOF' || fail "other names"
%2E%2E
%2E%2E...%2Fetc%2Fpasswd
%7E
%C3%84.%C3%B6
LONG
a%2Eb.c
a.b%2Fc
a.b%7E000000000000
application.vnd.oci.empty.v1+json
line%0Abreak
EOF
assert_eq "titles in them" "..%2F..%2Ftitle" "$(ls -A "$T/mount-hostile/.oci/referrers/a%2Eb.c~"*)"
assert_calls <<EOF
EROFS mkdir "$T/mount-hostile/.oci/referrers/application.spdx+json"
EOF
unmount "$T/mount-hostile"
