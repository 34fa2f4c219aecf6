#!/bin/bash
# What a registry can answer, or not answer: the errno of the contract, nothing lost, and the same
# command works once the cause is gone.
. "$(dirname "$0")/lib.sh"

assert_mount_fails() { # WHAT PATTERN SOURCE [OPTIONS]
    local out status=0 dir=$T/refused
    mkdir -p "$dir"
    out=$(timeout 30 "$INDEXFS" "$3" "$dir" -o \
        "state-dir=$T/state-refused,cache-dir=$T/cache-refused${4:+,$4}" 2>&1) || status=$?
    if mountpoint -q "$dir"; then
        fusermount3 -u "$dir"
        fail "$1: it mounted"
    fi
    assert_eq "$1: exit status ($out)" 1 "$status"
    assert_match "$1: message" "^indexfs: .*$2" "$out"
}

random_file "$T/app" 150000
random_file "$T/app2" 160000
use_store plain
source=$(source_of team/app v1)
repository=${source%:*}
tag=$T/v1

say "published while all is well"
mount_indexfs "$source" "$tag"
mkdir "$tag/linux-amd64"
cp "$T/app" "$tag/linux-amd64/app"
sync "$tag"

say "the registry goes away: what is staged stays, sync is ECONNREFUSED"
stop_registry plain
mkdir "$tag/linux-arm64"
cp "$T/app2" "$tag/linux-arm64/app"
assert_call ECONNREFUSED fsync "$tag"
assert_call ECONNREFUSED fsync "$tag/linux-arm64/app"
assert_same "$T/app2" "$tag/linux-arm64/app"
assert_same "$T/app" "$tag/linux-amd64/app" # what was published is on this machine
assert_match "the log" "efused|connect" "$(mount_log "$tag")"
assert_match "the log in the mount" "efused|connect" "$(cat "$tag/.oci/log")"

say "a mount fails with the reason"
assert_mount_fails "nobody listens" "[Rr]efused|connect" "$source"

say "it comes back: the same sync works"
restart_registry plain
sync "$tag"
agree "$tag" "$source"
unmount "$tag"

say "nothing there: 404"
assert_mount_fails "a digest that isn't there" "" "$repository@sha256:$(printf '0%.0s' {1..64})"
assert_mount_fails "a tag that can't be" "tag" "$repository:not/a:tag"
mount_indexfs "${host[plain]}/no/such/repository:v1" "$T/none" ro
assert_eq "an unknown repository, read-only" "" "$(ls "$T/none")"
unmount "$T/none"

say "a blob that the registry lost: ENOENT on read, the rest reads"
mount_indexfs "$source" "$T/lost"
digest=$(sha256sum <"$T/app" | cut -d' ' -f1)
rm -r "$T/registry-plain/data/docker/registry/v2/blobs/sha256/${digest:0:2}/$digest"
assert_call ENOENT read "$T/lost/linux-amd64/app"
assert_same "$T/app2" "$T/lost/linux-arm64/app"
unmount "$T/lost"

say "a blob that the registry damaged: EIO on read"
rm -rf "$T/cache-lost"
digest=$(sha256sum <"$T/app2" | cut -d' ' -f1)
printf X | dd of="$T/registry-plain/data/docker/registry/v2/blobs/sha256/${digest:0:2}/$digest/data" \
    conv=notrunc status=none
mount_indexfs "$source" "$T/damaged"
assert_call EIO read "$T/damaged/linux-arm64/app"
assert_match "the log" "$digest" "$(mount_log "$T/damaged")"
unmount "$T/damaged"

say "a manifest that the registry damaged: the folder is EIO, nothing else"
manifest=$(raw "$source" | jq -r '.manifests[0].digest' | cut -d: -f2)
printf X | dd of="$T/registry-plain/data/docker/registry/v2/blobs/sha256/${manifest:0:2}/$manifest/data" \
    conv=notrunc status=none
mount_indexfs "$source" "$T/manifest"
assert_call EIO listdir "$T/manifest/linux-amd64"
assert_call ok listdir "$T/manifest/linux-arm64"
unmount "$T/manifest"

say "401 without credentials"
start_registry closed --htpasswd
assert_mount_fails "a stranger" "401|[Uu]nauthorized|denied|ccess" "${host[closed]}/team/app:v1"

say "a registry that can't be written: reading works, a commit says why"
start_registry readonly --readonly
mount_indexfs "${host[readonly]}/team/app:v1" "$T/readonly"
mkdir "$T/readonly/linux-amd64"
cp "$T/app" "$T/readonly/linux-amd64/app"
result=$(python3 "$HERE/call.py" fsync "$T/readonly")
assert_match "fsync" "^E[A-Z]+$" "$result"
assert_same "$T/app" "$T/readonly/linux-amd64/app"
unmount "$T/readonly"

say "a certificate that nobody vouches for: the mount fails and says so"
start_registry tls --tls
make_other_ca() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=another" \
        -keyout "$T/other.key" -out "$T/other.crt" 2>/dev/null
}
make_other_ca
assert_mount_fails "an unknown authority" "certificate" "${host[tls]}/team/app:v1" "ca-file=$T/other.crt"
