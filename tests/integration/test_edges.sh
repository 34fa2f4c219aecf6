#!/bin/bash
# Edges of an index from elsewhere, and of annotations: what nobody touched stays, what was asked
# for is done.
. "$(dirname "$0")/lib.sh"

use_store plain
source=$(source_of team/app v1)
tag=$T/v1
url=http://${host[plain]}/v2/team/app

layers() { # FOLDER: titles and modes, as the registry has them
    raw "${source%:*}@$(cat "$tag/$1/.oci/digest")" |
        jq -r '.layers[].annotations | "\(.["org.opencontainers.image.title"]) \(.["dev.indexfs.mode"])"'
}

put_document() { # REFERENCE FILE TYPE
    curl -sf -X PUT -H "Content-Type: $3" --data-binary "@$2" "$url/manifests/$1" -o /dev/null ||
        fail "PUT $1"
}

put_blob() { # FILE
    local where
    where=$(curl -sf -i -X POST "$url/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //p')
    curl -sf -X PUT --data-binary "@$1" -H 'Content-Type: application/octet-stream' \
        "$where&digest=sha256:$(sha256sum <"$1" | cut -d' ' -f1)" -o /dev/null || fail "PUT blob"
}

say "layers of others: titles like scratch names, modes of any sort"
printf '{}' >"$T/empty"
put_blob "$T/empty"
python3 - "$T/manifest" "$T/index" <<'P'
import hashlib, json, sys
empty = "sha256:" + hashlib.sha256(b"{}").hexdigest()
def layer(title, **more):
    return {"mediaType": "application/octet-stream", "digest": empty, "size": 2,
            "annotations": {"org.opencontainers.image.title": title, **more}}
manifest = json.dumps({"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
    "artifactType": "application/vnd.example.app",
    "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": empty, "size": 2},
    "layers": [layer("f.part"), layer(".f.swp"), layer("x~"), layer("build.part/x"),
               layer("suid", **{"dev.indexfs.mode": "4777"}), layer("app", **{"dev.indexfs.mode": "0755"})]}).encode()
open(sys.argv[1], "wb").write(manifest)
open(sys.argv[2], "w").write(json.dumps({"schemaVersion": 2,
    "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [
    {"mediaType": "application/vnd.oci.image.manifest.v1+json", "size": len(manifest),
     "digest": "sha256:" + hashlib.sha256(manifest).hexdigest(),
     "platform": {"os": "linux", "architecture": "amd64"}}]}))
P
put_document "sha256:$(sha256sum <"$T/manifest" | cut -d' ' -f1)" "$T/manifest" application/vnd.oci.image.manifest.v1+json
put_document v1 "$T/index" application/vnd.oci.image.index.v1+json
mount_indexfs "$source" "$tag" umask=077
before=$(layers linux-amd64)
echo new >"$tag/linux-amd64/new"
sync "$tag"
assert_eq "the layers" "$before"$'\n'"new null" "$(layers linux-amd64)"
digest=$(cat "$tag/linux-amd64/.oci/digest")
mv "$tag/linux-amd64" "$tag/linux-arm64"
sync "$tag"
assert_eq "a renamed folder keeps its manifest" "$digest" "$(cat "$tag/linux-arm64/.oci/digest")"
chmod -x "$tag/linux-arm64/suid"
sync "$tag"
assert_eq "a mode that was changed" "suid null" "$(layers linux-arm64 | grep suid)"
unmount "$tag"

say ".oci of a folder that nobody has listed yet"
mount_indexfs "$source" "$tag"
assert_match "its digest" "^sha256:" "$(cat "$tag/linux-arm64/.oci/digest")"
assert_eq "uncommitted" "[]" "$(jq -c .uncommitted "$tag/.oci/status")"
unmount "$tag"
mount_indexfs "$(source_of team/empty v1)" "$T/none"
assert_eq ".oci of a new tag" "log referrers status" "$(ls "$T/none/.oci" | xargs)"
assert_call EPERM unlink "$T/none/.oci/status"
unmount "$T/none"

say "annotations.json: a folder of that name can't be made"
mount_indexfs "$source" "$tag"
assert_call EPERM mkdir "$tag/linux-arm64/annotations.json"
mkdir "$tag/linux-arm64/folder"
assert_call EPERM rename "$tag/linux-arm64/folder" "$tag/linux-arm64/annotations.json"

say "annotations outlive the ways in which programs replace a file"
echo '{"app": {"org.example.k": "v"}, "f.part": {"org.example.k": "w"}}' >"$tag/linux-arm64/annotations.json"
sync "$tag"
annotation() { jq -r --arg f "$1" '.[$f]["org.example.k"]' "$tag/linux-arm64/annotations.json"; }
install -m 755 /bin/true "$tag/linux-arm64/app"
assert_eq "after install" v "$(annotation app)"
cp --remove-destination /bin/false "$tag/linux-arm64/app"
assert_eq "after cp --remove-destination" v "$(annotation app)"
cp /bin/true "$T/app"
tar -C "$T" -cf "$T/a.tar" app
tar -C "$tag/linux-arm64" -xf "$T/a.tar"
sync "$tag"
assert_eq "after tar, published" v "$(annotation app)"
rm "$tag/linux-arm64/app"
sync "$tag"
assert_eq "removed, published" null "$(annotation app)"
echo another >"$tag/linux-arm64/app"
assert_eq "another file has none" null "$(annotation app)"

say "annotations taken away by an atomic save, and written again"
printf '{}' >"$tag/linux-arm64/t"
mv "$tag/linux-arm64/t" "$tag/linux-arm64/annotations.json"
sync "$tag"
assert_missing "$tag/linux-arm64/annotations.json"
echo '{"$descriptor": {"org.example.new": "1"}}' >"$tag/linux-arm64/annotations.json"
sync "$tag"
assert_eq "the entry" 1 "$(raw "$source" | jq -r '.manifests[0].annotations["org.example.new"]')"
agree "$tag" "$source"

say "rm -r of a folder whose only annotations are a layer's"
mkdir "$tag/linux-s390x"
echo x >"$tag/linux-s390x/app"
echo '{"app": {"k": "v"}}' >"$tag/linux-s390x/annotations.json"
sync "$tag"
rm -r "$tag/linux-s390x"
assert_missing "$tag/linux-s390x"
sync "$tag"
assert_eq "entries" arm64 "$(raw "$source" | jq -r '.manifests[].platform.architecture' | xargs)"

say "a name for a twin can't be made"
assert_call EINVAL mkdir "$tag/linux-amd64~011790829aa2"
assert_call EINVAL mkdir "$tag/linux-amd64~abc"
unmount "$tag"

say "an entry whose manifest is missing takes no file, and can be taken out"
curl -sf -X DELETE "$url/manifests/$(raw "$source" | jq -r '.manifests[0].digest')" || fail DELETE
mount_indexfs "$source" "$tag"
assert_call EIO create "$tag/linux-arm64/new"
mkdir "$tag/linux-amd64"
echo x >"$tag/linux-amd64/app"
rmdir "$tag/linux-arm64"
sync "$tag"
assert_eq "entries" amd64 "$(raw "$source" | jq -r '.manifests[].platform.architecture' | xargs)"
unmount "$tag"

say "the platform of a single image, renamed, is renamed in its config"
make_image "$T/made" amd64 amd64 /bin/true
# shellcheck disable=SC2046 # zero or one option
skopeo copy --quiet $(skopeo_options "$source" dest-) "oci:$T/made:amd64" "docker://${source%:*}:single"
single=${source%:*}:single
config() {
    curl -sfL "$url/blobs/$(raw "$single" | jq -r .config.digest)"
}
before=$(config | jq -c 'del(.architecture)')
mount_indexfs "$single" "$T/single"
mv "$T/single/linux-amd64" "$T/single/linux-riscv64"
sync "$T/single"
assert_eq "the platform" riscv64 "$(config | jq -r .architecture)"
assert_eq "the rest" "$before" "$(config | jq -c 'del(.architecture)')"
agree "$T/single" "$single"
unmount "$T/single"

say "created=now: what has not changed gets no new time"
mount_indexfs "$source" "$tag" created=now
echo y >"$tag/linux-amd64/app"
sync "$tag"
digest=$(cat "$tag/.oci/digest")
sleep 1
chmod +x "$tag/linux-amd64/app"
chmod -x "$tag/linux-amd64/app"
sync "$tag"
assert_eq "the tag" "$digest" "$(cat "$tag/.oci/digest")"
unmount "$tag"
