#!/bin/bash
# What stands between us and a registry: a proxy that takes bodies of some size only, and a line that
# breaks before a blob is through.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"
# shellcheck source=lib/nginx.sh
. "$HERE/lib/nginx.sh"

MIB=$((1024 * 1024))
random_file "$T/five" $((5 * MIB))
random_file "$T/three" $((3 * MIB + 7))
random_file "$T/twenty" $((20 * MIB))

# holds NAME FILE...: the registry has exactly these bytes.
holds() {
    local file want
    for file in "${@:2}"; do
        want=$(sha256sum <"$file" | cut -d' ' -f1)
        assert_eq "the digest of $file" "$want" \
            "$(curl -sS "http://${host[$1]}/v2/app/blobs/sha256:$want" | sha256sum | cut -d' ' -f1)"
    done
}

say "a body limit of 1 MiB: it is found with the first blob, and known to the second"
start_fixture limited --quirk body-max=1M
mount_indexfs "${host[limited]}/app:v1" "$T/limited"
mkdir "$T/limited/linux-amd64"
mark=$(fixture_mark limited)
cp "$T/five" "$T/limited/linux-amd64/"
sync "$T/limited"
assert_eq "what was too long: the blob, twice, and a chunk of 2 MiB, twice" 4 \
    "$(fixture_requests limited "$mark" | grep -c '^P[A-Z]* .* 413$')"
mark=$(fixture_mark limited)
cp "$T/three" "$T/limited/linux-amd64/"
sync "$T/limited"
assert_eq "what was too long" 0 "$(fixture_requests limited "$mark" | grep -c ' 413$' || true)"
assert_eq "chunks, the last of them with the PUT" 3 \
    "$(fixture_requests limited "$mark" | grep -c '^PATCH .* 202$')"
unmount "$T/limited"
holds limited "$T/five" "$T/three"

say "a limit that nothing gets through: EFBIG, and once it is gone the same sync succeeds"
fixture_set limited "quirk body-max=100000"
mount_indexfs "${host[limited]}/app:v2" "$T/less"
mkdir "$T/less/linux-amd64"
cp "$T/twenty" "$T/less/linux-amd64/"
assert_call EFBIG fsync "$T/less"
assert_same "$T/twenty" "$T/less/linux-amd64/twenty"
fixture_set limited "quirk -body-max"
sync "$T/less"
unmount "$T/less"
holds limited "$T/twenty"

say "20 MiB over a line that breaks every 6 MiB"
start_fixture far
start_relay cut far --cut-after "$((6 * MIB)),every"
mount_indexfs "${host[cut]}/app:v1" "$T/far"
mkdir "$T/far/linux-amd64"
cp "$T/twenty" "$T/far/linux-amd64/"
sync "$T/far"
unmount "$T/far"
stop_relay cut
holds far "$T/twenty"
assert_eq "sessions: of the whole blob, of its chunks, of the config" 3 \
    "$(fixture_count far "POST uploads" requests)"

say "nginx with its own limit, before Debian's registry"
have_nginx || skip "nginx isn't installed: its limit was not tried"
start_registry plain
start_nginx before plain
mount_indexfs "${host[before]}/app:v1" "$T/before"
mkdir "$T/before/linux-amd64"
cp "$T/five" "$T/three" "$T/before/linux-amd64/"
sync "$T/before"
unmount "$T/before"
holds plain "$T/five" "$T/three"
assert_match "what nginx refused" "PUT 413" "$(cat "$T/nginx-before/access.log")"
