#!/bin/bash
# Registries that want to know who is there: Basic over TLS, and a token server whose tokens live
# for two seconds, while an upload lasts longer than that.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"
# shellcheck source=lib/token.sh
. "$HERE/lib/token.sh"

MIB=$((1024 * 1024))
size=1024 rate=$((128 * MIB))
if built_with_sanitizers; then
    size=256 rate=$((32 * MIB))
fi
tls=ca-file=$T/ca.crt

# No log, no status and no command line of a mount has what nobody may see.
assert_no_secret() { # DIR SECRET...
    local dir=$1 secret
    shift
    for secret; do
        { mount_log "$dir"; cat "$dir/.oci/log" "$dir/.oci/status"
            tr '\0' '\n' <"/proc/$(daemon_pid "$dir")/cmdline"; } >"$T/seen"
        ! grep -qF "$secret" "$T/seen" || fail "$secret: $(grep -F "$secret" "$T/seen")"
    done
}

assert_stranger() { # WHAT SOURCE OPTIONS
    local out status=0 dir=$T/stranger
    mkdir -p "$dir"
    out=$(timeout 30 "$INDEXFS" "$2" "$dir" -o \
        "state-dir=$T/state-stranger,cache-dir=$T/cache-stranger,$3" 2>&1) || status=$?
    assert_eq "$1: exit status ($out)" 1 "$status"
    assert_match "$1" "(denied|refused).*401" "$out"
    ! grep -qE 'sesame|open' <<<"$out" || fail "$1: the password is told: $out"
}

random_file "$T/app" 150000
random_file "$T/more" 160000

say "htpasswd over TLS: published, and another client sees the same"
start_registry closed --tls --htpasswd
TLS_HOST=${host[closed]}
source=$TLS_HOST/team/app:v1
good=$(authfile tester sesame "$TLS_HOST")
mount_indexfs "$source" "$T/basic" "$tls,authfile=$good"
mkdir "$T/basic/linux-amd64"
cp "$T/app" "$T/basic/linux-amd64/app"
sync "$T/basic"
export REGISTRY_AUTH_FILE=$good
agree "$T/basic" "$source"
assert_no_secret "$T/basic" sesame "$(printf tester:sesame | base64)"
unmount "$T/basic"

say "REGISTRY_AUTH_FILE, and a name with INDEXFS_PASSWORD, do too"
mount_indexfs "$source" "$T/env" "$tls"
assert_same "$T/app" "$T/env/linux-amd64/app"
unmount "$T/env"
unset REGISTRY_AUTH_FILE
export INDEXFS_PASSWORD=sesame
mount_indexfs "$source" "$T/name" "$tls,username=tester"
unset INDEXFS_PASSWORD
assert_same "$T/app" "$T/name/linux-amd64/app"
assert_no_secret "$T/name" sesame
unmount "$T/name"

say "a stranger, and a wrong password, are denied in the registry's words"
assert_stranger "a stranger" "$source" "$tls"
assert_stranger "a wrong password" "$source" "$tls,authfile=$(authfile tester opensesame "$TLS_HOST")"
stop_registry closed

say "tokens of two seconds: published"
start_token_registry token 2
start_relay slow token --rate "$rate"
TLS_HOST=${host[token]}
source=$TLS_HOST/team/app:v1
good=$(authfile tester sesame "$TLS_HOST" "${host[slow]}")
mount_indexfs "$source" "$T/token" "$tls,authfile=$good"
mkdir "$T/token/linux-amd64"
cp "$T/app" "$T/token/linux-amd64/app"
sync "$T/token"
REGISTRY_AUTH_FILE=$good agree "$T/token" "$source"

say "$size MiB through a way of $((rate / MIB)) MiB/s, which is longer than a token lives"
mark=$(log_mark "${access_log[token]}")
mount_indexfs "${host[slow]}/team/big:v1" "$T/slow" "$tls,authfile=$good"
mkdir "$T/slow/linux-amd64"
head -c $((size * MIB)) /dev/zero >"$T/slow/linux-amd64/big"
random_file "$T/tail" 1000
cat "$T/tail" >>"$T/slow/linux-amd64/big"
start=$SECONDS
sync "$T/slow"
echo "sync: $((SECONDS - start)) s, $(tokens token 'tester 200 repository:team/big:pull,push') tokens for it"
[[ $((SECONDS - start)) -gt 3 ]] || fail "the upload wasn't longer than a token lives"
want=$({ head -c $((size * MIB)) /dev/zero; cat "$T/tail"; } | sha256sum | cut -d' ' -f1)
manifest=$(REGISTRY_AUTH_FILE=$good raw "${host[token]}/team/big:v1" | jq -r '.manifests[0].digest')
layer=$(REGISTRY_AUTH_FILE=$good raw "${host[token]}/team/big@$manifest" |
    jq -r '.layers[0] | .digest + " " + (.size | tostring)')
assert_eq "layer" "sha256:$want $((size * MIB + 1000))" "$layer"
unmount "$T/slow"
assert_match "its tokens" "^([2-9]|[1-9][0-9]+)$" "$(tokens token 'tester 200 repository:team/big:pull,push')"
# The first request, and the first change, don't know yet what is wanted of them.
refused=$(requests_matching "${access_log[token]}" "$mark" ' 401 ' | grep -c team/big || true)
[[ $refused -le 4 ]] || fail "$refused requests with a token whose time was up"

say "a mount stays up when its tokens have ended"
sleep 3
cp "$T/more" "$T/token/linux-amd64/more"
sync "$T/token"
REGISTRY_AUTH_FILE=$good agree "$T/token" "$source"
sleep 3
mount_indexfs "$source" "$T/other" "$tls,authfile=$good"
mkdir "$T/other/linux-arm64"
cp "$T/more" "$T/other/linux-arm64/more"
sync "$T/other"
unmount "$T/other"
assert_no_secret "$T/token" sesame "$(printf tester:sesame | base64)" eyJ
unmount "$T/token"

say "an identity token"
jq -n --arg host "$TLS_HOST" '{auths: {($host): {identitytoken: "id-of-tester"}}}' >"$T/identity"
chmod 600 "$T/identity"
mount_indexfs "$source" "$T/identified" "$tls,authfile=$T/identity"
assert_same "$T/app" "$T/identified/linux-amd64/app"
assert_no_secret "$T/identified" id-of-tester
unmount "$T/identified"
[[ $(tokens token '^POST tester 200') -gt 0 ]] || fail "no token by POST"

say "a token for the registry itself, for which no token server is asked"
start_fixture own --auth bearer --user tester:sesame
given=$(curl -sSu tester:sesame "http://${host[own]}/token?scope=repository:team/app:pull,push" | jq -r .token)
jq -n --arg host "${host[own]}" --arg token "$given" \
    '{auths: {($host): {registrytoken: $token}}}' >"$T/given"
chmod 600 "$T/given"
mark=$(fixture_mark own)
mount_indexfs "${host[own]}/team/app:v1" "$T/given-token" "authfile=$T/given"
mkdir "$T/given-token/linux-amd64"
cp "$T/app" "$T/given-token/linux-amd64/app"
sync "$T/given-token"
assert_no_secret "$T/given-token" "$given"
unmount "$T/given-token"
assert_eq "requests for tokens" 0 "$(fixture_requests own "$mark" | grep -c ' /token' || true)"
assert_eq "the tag that was put" 1 "$(fixture_requests own "$mark" | grep -c 'PUT .*/manifests/v1 201')"

say "eight uploads at a time whose tokens are void at once, twice"
start_fixture many --auth bearer --quirk anonymous=pull,push
mount_indexfs "${host[many]}/team/app:v1" "$T/many"
mkdir "$T/many/linux-amd64"
fixture_set many "fault PUT /blobs/uploads/ 2-3 expire-tokens"
for i in {1..8}; do random_file "$T/many/linux-amd64/part$i" 300000; done
sync "$T/many"
assert_eq "requests that made tokens void" 2 "$(fixture_count many faults requests)"
agree "$T/many" "${host[many]}/team/app:v1"
unmount "$T/many"

say "who may only pull: reading works, a commit is EACCES, and reading goes on"
reader=$tls,authfile=$(authfile reader sesame "$TLS_HOST")
mount_indexfs "$source" "$T/reader" "$reader"
assert_same "$T/app" "$T/reader/linux-amd64/app"
cp "$T/tail" "$T/reader/linux-amd64/mine"
assert_call EACCES fsync "$T/reader"
assert_call EACCES fsync "$T/reader/linux-amd64/mine"
sleep 3
assert_same "$T/more" "$T/reader/linux-arm64/more"
assert_same "$T/tail" "$T/reader/linux-amd64/mine"
assert_match "status" "UNAUTHORIZED|denied" "$(cat "$T/reader/.oci/status")"
unmount "$T/reader"

say "a read-only mount asks for no more than to pull"
start=$(wc -l <"${token_log[token]}")
mount_indexfs "$source" "$T/ro" "$tls,authfile=$good,ro"
assert_same "$T/app" "$T/ro/linux-amd64/app"
unmount "$T/ro"
asked=$(tail -n "+$((start + 1))" "${token_log[token]}")
assert_match "what was asked for" "repository:team/app:pull" "$asked"
! grep -q push <<<"$asked" || fail "$asked"

say "a token server that refuses"
assert_stranger "nobody" "$source" "$tls"
assert_stranger "a wrong password" "$source" "$tls,authfile=$(authfile tester opensesame "$TLS_HOST")"
