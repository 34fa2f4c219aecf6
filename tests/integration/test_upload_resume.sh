#!/bin/bash
# A large upload over a connection that is cut again and again goes on where it was: through a mount,
# against the registry of the tests, which keeps what came of a cut chunk, and against Debian's, which
# gives such a session up.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"

MIB=$((1024 * 1024))
CHUNK=$((32 * MIB))
size=2048 every=200
if built_with_sanitizers; then
    size=512 every=100
fi

# publish SOURCE DIR FILE: sets seconds.
publish() {
    mount_indexfs "$1" "$2" timeout=20
    mkdir "$2/linux-amd64"
    cp "$3" "$2/linux-amd64/big"
    local start=$SECONDS
    sync "$2"
    seconds=$((SECONDS - start))
}

relay_cuts() {
    sed -n 's/.* cuts //p' <<<"$relay_counts"
}

say "$size MiB, cut every $every MiB"
random_file "$T/big" $((8 * MIB))
truncate -s $((size * MIB - 4321)) "$T/big"
random_file "$T/end" 4321
cat "$T/end" >>"$T/big"
want=$(sha256sum <"$T/big" | cut -d' ' -f1)
start_fixture real
start_relay cut real --cut-after "$((every * MIB)),every"
publish "${host[cut]}/app:v1" "$T/v1" "$T/big"
unmount "$T/v1"
stop_relay cut
cuts=$(relay_cuts)
in=$(($(fixture_count real "PATCH uploads" in) + $(fixture_count real "PUT uploads" in)))
again=$((in - size * MIB))
echo "$seconds s, $cuts cuts, $((again / MIB)) MiB of $size sent again"
[[ $cuts -ge $((size / every)) ]] || fail "only $cuts cuts"
[[ $again -le $((cuts * CHUNK)) ]] || fail "$again bytes sent again after $cuts cuts"
assert_eq "sessions of the large blob, and of the config" 2 \
    "$(fixture_count real "POST uploads" requests)"
assert_eq "the blob's digest" "$want" \
    "$(curl -sS "http://${host[real]}/v2/app/blobs/sha256:$want" | sha256sum | cut -d' ' -f1)"

say "a registry whose sessions don't survive is sent all of it anew"
random_file "$T/less" $((150 * MIB))
start_registry other
start_relay once other --cut-after $((100 * MIB))
mark=$(log_mark "${access_log[other]}")
publish "${host[once]}/app:v1" "$T/other" "$T/less"
unmount "$T/other"
stop_relay once
assert_eq "cuts" 1 "$(relay_cuts)"
want=$(sha256sum <"$T/less" | cut -d' ' -f1)
assert_eq "the blob's digest" "$want" \
    "$(curl -sS "http://${host[other]}/v2/app/blobs/sha256:$want" | sha256sum | cut -d' ' -f1)"
assert_requests "${access_log[other]}" "$mark" 'POST /v2/app/blobs/uploads/' 3
