#!/bin/bash
# The harness itself: its registries, its log reading, and that its checks can fail.
. "$(dirname "$0")/lib.sh"

say "a plain registry answers and its log tells what was asked"
start_registry plain
mark=$(log_mark "${access_log[plain]}")
curl -fsS "http://${host[plain]}/v2/" >/dev/null
assert_eq "the log" "GET /v2/ 200" "$(requests "${access_log[plain]}" "$mark")"

say "a registry comes back on the port it had"
stop_registry plain
before=${host[plain]}
restart_registry plain
assert_eq "the port" "$before" "${host[plain]}"
curl -fsS "http://${host[plain]}/v2/" >/dev/null

say "a TLS registry is trusted by the test's own authority, and by nobody else"
start_registry tls --tls
curl -fsS --cacert "$T/ca.crt" "https://${host[tls]}/v2/" >/dev/null
assert_fails "an unknown authority" "SSL certificate" curl -sS "https://${host[tls]}/v2/"

say "a registry with passwords refuses strangers and takes the one it knows"
start_registry closed --htpasswd
assert_eq "a stranger" 401 "$(curl -s -o /dev/null -w '%{http_code}' "http://${host[closed]}/v2/")"
curl -fsS -u tester:sesame "http://${host[closed]}/v2/" >/dev/null

say "errno by name"
assert_call ok mkdir "$T/d"
assert_call EEXIST mkdir "$T/d"
assert_call "open EISDIR" put "$T/d" text

say "the checker finds each difference between a folder and what was pulled"
mkdir -p "$T/shown/linux-amd64" "$T/pulled"
printf 'hello' >"$T/shown/linux-amd64/a"
python3 - "$T/pulled" "$T/control/linux-amd64" <<'EOF'
import hashlib, json, os, sys
def put(data, suffix=""):
    digest = hashlib.sha256(data).hexdigest()
    open(os.path.join(sys.argv[1], digest + suffix), "wb").write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}
empty = {"mediaType": "application/vnd.oci.empty.v1+json", **put(b"{}")}
layer = {"mediaType": "application/octet-stream", **put(b"hello"),
         "annotations": {"org.opencontainers.image.title": "a"}}
manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": "application/x", "config": empty, "layers": [layer]}
entry = {"mediaType": manifest["mediaType"], **put(json.dumps(manifest).encode(), ".manifest.json"),
         "platform": {"os": "linux", "architecture": "amd64"}}
index = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json",
         "manifests": [entry]}
json.dump(index, open(os.path.join(sys.argv[1], "manifest.json"), "w"))
os.makedirs(sys.argv[2] + "/.oci")
json.dump(manifest, open(sys.argv[2] + "/.oci/manifest.json", "w"))
EOF
check() {
    python3 "$HERE/agree.py" "$T/shown" "$T/pulled" "$T/control"
}
check
sed -i s,application/x,application/y, "$T/control/linux-amd64/.oci/manifest.json"
assert_fails "the document itself" "manifest.json" check
sed -i s,application/y,application/x, "$T/control/linux-amd64/.oci/manifest.json"
chmod +x "$T/shown/linux-amd64/a"
assert_fails "the execute bit" "execute bit" check
chmod -x "$T/shown/linux-amd64/a"
echo '{"k": "v"}' >"$T/shown/linux-amd64/annotations.json"
assert_fails "an annotation" "annotations" check
rm "$T/shown/linux-amd64/annotations.json"
printf 'hellO' >"$T/shown/linux-amd64/a"
assert_fails "content" "content" check
printf 'hello' >"$T/shown/linux-amd64/a"
touch "$T/shown/linux-amd64/b"
assert_fails "a file too many" "files" check
rm "$T/shown/linux-amd64/b"
mkdir "$T/shown/linux-arm64"
assert_fails "a folder too many" "folders" check
