# shellcheck shell=bash
# Debian's docker-registry with a token server before it.

# start_token_registry NAME LIFE: over TLS, with tokens that live LIFE seconds. Sets host[NAME],
# access_log[NAME] and token_log[NAME] (a line for each answer of the token server).
declare -A token_log=()
start_token_registry() {
    local name=$1 dir=$T/registry-$1
    mkdir -p "$dir/data"
    [[ -f $T/ca.crt ]] || make_ca
    token_log[$name]=$dir/tokens.log
    touch "${token_log[$name]}"
    python3 "$HERE/lib/token_server.py" --cert "$T/server.crt" --key "$T/server.key" --tls \
        --service "registry of the test" --issuer "issuer of the test" --life "$2" \
        --port-file "$dir/token-port" --log "${token_log[$name]}" 2>"$dir/tokens.err" &
    # shellcheck disable=SC2034,SC2004 # its index is text
    registry_pid[${name}_tokens]=$!
    wait_until 10 test -s "$dir/token-port" || fail "token server: $(cat "$dir/tokens.err")"
    cat >"$dir/config.yml" <<END
version: 0.1
log: {level: error, accesslog: {disabled: false}}
storage:
  filesystem: {rootdirectory: $dir/data}
auth:
  token:
    realm: https://localhost:$(cat "$dir/token-port")/token
    service: registry of the test
    issuer: issuer of the test
    rootcertbundle: $T/server.crt
http:
  addr: 127.0.0.1:PORT
  secret: test
  tls: {certificate: $T/server.crt, key: $T/server.key}
END
    serve_registry "$name" 0
}

# authfile USER PASSWORD HOST...: a file of credentials, its path.
authfile() {
    local auth user=$1 path
    auth=$(printf '%s:%s' "$1" "$2" | base64 -w 0)
    shift 2
    path=$(mktemp "$T/auth-$user.XXXXXX")
    printf '%s\n' "$@" | jq -R . | jq -s --arg auth "$auth" \
        '{auths: (map({key: ., value: {auth: $auth}}) | from_entries)}' >"$path"
    echo "$path"
}

# tokens NAME REGEX: how many answers of the token server match.
tokens() {
    grep -cE "$2" "${token_log[$1]}" || true
}
