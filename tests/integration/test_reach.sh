#!/bin/bash
# How a registry is reached: certs.d, registries.conf, mirrors, IPv6, proxies, HTTP/2.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/nginx.sh
. "$HERE/lib/nginx.sh"

CERTS=$HOME/.config/containers/certs.d
export CONTAINERS_REGISTRIES_CONF=$T/registries.conf
unset HTTPS_PROXY ALL_PROXY NO_PROXY no_proxy

assert_mount_fails() { # WHAT PATTERN SOURCE [OPTIONS]
    mkdir -p "$T/refused"
    assert_fails "$1" "$2" timeout 30 "$INDEXFS" "$3" "$T/refused" \
        -o "state-dir=$T/state-refused,cache-dir=$T/cache-refused${4:+,$4}"
}

# publish SOURCE NAME OPTIONS WHERE: a mount writes, and WHERE another client finds it.
publish() {
    mount_indexfs "$1" "$T/$2" "$3"
    mkdir -p "$T/$2/linux-amd64"
    cp "$T/app" "$T/$2/linux-amd64/app"
    sync "$T/$2"
    agree "$T/$2" "$4"
    unmount "$T/$2"
}

# read_back SOURCE NAME [OPTIONS]: a mount with nothing cached.
read_back() {
    rm -rf "$T/cache-$2"
    mount_indexfs "$1" "$T/$2" "${3-}"
    assert_same "$T/app" "$T/$2/linux-amd64/app"
    unmount "$T/$2"
}

# sign NAME SUBJECT [EXTENSION]: $T/NAME.crt and $T/NAME.key, by the test's authority.
sign() {
    openssl req -newkey rsa:2048 -nodes -subj "$2" -keyout "$T/$1.key" -out "$T/$1.csr" 2>/dev/null
    openssl x509 -req -in "$T/$1.csr" -CA "$T/ca.crt" -CAkey "$T/ca.key" -CAcreateserial -days 2 \
        -out "$T/$1.crt" -extfile <(echo "${3-}") 2>/dev/null
}

# start_proxy NAME: sets proxy to the URL of one that leads to host[NAME], whatever it's asked for.
start_proxy() {
    local port=$T/proxy-$1.port
    python3 "$HERE/proxy.py" "$T/proxy.log" "${host[$1]##*:}" me:sesame-proxy >"$port" &
    registry_pid[proxy-$1]=$!
    wait_until 10 test -s "$port"
    proxy=http://me:sesame-proxy@127.0.0.1:$(cat "$port")
}

random_file "$T/app" 300000
: >"$CONTAINERS_REGISTRIES_CONF"
start_registry plain
start_registry tls --tls
TLS_HOST=${host[tls]}
certs=$CERTS/${host[tls]}

say "an authority in certs.d is trusted"
mkdir -p "$certs"
cp "$T/ca.crt" "$certs/ca.crt"
publish "${host[tls]}/team/app:v1" trusted "" "${host[tls]}/team/app:v1"

say "half a pair in certs.d: the mount says which half"
sign client /CN=client
cp "$T/client.crt" "$certs/client.cert"
assert_mount_fails "a certificate without its key" "client.cert: its key is missing" "${host[tls]}/team/app:v1"

say "who has no certificate isn't let in, and who has one in certs.d is"
start_registry mutual --tls --client-ca
TLS_HOST=${host[mutual]}
mkdir -p "$CERTS/${host[mutual]}"
cp "$T/ca.crt" "$CERTS/${host[mutual]}/"
assert_mount_fails "no certificate" "client certificate|connection broke" "${host[mutual]}/team/app:v1"
cp "$T/client.crt" "$CERTS/${host[mutual]}/client.cert"
cp "$T/client.key" "$CERTS/${host[mutual]}/client.key"
mount_indexfs "${host[mutual]}/team/app:v1" "$T/mutual"
mkdir "$T/mutual/linux-amd64"
cp "$T/app" "$T/mutual/linux-amd64/app"
sync "$T/mutual"
unmount "$T/mutual"
read_back "${host[mutual]}/team/app:v1" mutual

say "blocked: EACCES, and which file says so"
printf '[[registry]]\nprefix = "bad.example"\nblocked = true\n' >"$CONTAINERS_REGISTRIES_CONF"
assert_mount_fails "a blocked registry" "blocked by $CONTAINERS_REGISTRIES_CONF" "bad.example/app:v1"

say "a file that isn't understood: its name and line"
printf '\n[[registry]\n' >"$CONTAINERS_REGISTRIES_CONF"
assert_mount_fails "a broken file" "$CONTAINERS_REGISTRIES_CONF: line 2" "registry.example/app:v1"

say "another place, with a mirror before it: written to the one, read from the other"
start_registry mirror
cat >"$CONTAINERS_REGISTRIES_CONF" <<END
[[registry]]
prefix = "registry.example"
location = "${host[plain]}"
[[registry.mirror]]
location = "${host[mirror]}"
END
mark=$(log_mark "${access_log[mirror]}")
publish registry.example/team/app:v1 mirrored "" "${host[plain]}/team/app:v1"
assert_no_request "${access_log[mirror]}" "$mark" '^(POST|PUT|PATCH|DELETE)'
cp -a "$T/registry-plain/data/." "$T/registry-mirror/data/"
mark=$(log_mark "${access_log[plain]}")
read_back registry.example/team/app:v1 mirrored ro
assert_no_request "${access_log[plain]}" "$mark" '.'
read_back registry.example/team/app:v1 mirrored
assert_no_request "${access_log[plain]}" "$mark" 'GET .*/blobs/'

say "a tag that the mirror lacks"
publish registry.example/team/app:v2 lacking "" "${host[plain]}/team/app:v2"
read_back registry.example/team/app:v2 lacking ro

say "the mirror goes away"
stop_registry mirror
read_back registry.example/team/app:v1 mirrored ro
read_back registry.example/team/app:v1 mirrored

say "a login follows the same file"
start_registry closed --htpasswd
login() { # PASSWORD
    "$INDEXFS" login -o "authfile=$T/login.json" -u tester --password-stdin "${host[closed]}" <<<"$1"
}
printf '[[registry]]\nlocation = "%s"\ninsecure = true\n' "${host[closed]}" >"$CONTAINERS_REGISTRIES_CONF"
assert_fails "a wrong password" "HTTP 401" login wrong
login sesame
sed -i s/insecure/blocked/ "$CONTAINERS_REGISTRIES_CONF"
assert_fails "a blocked registry" "blocked by $CONTAINERS_REGISTRIES_CONF" login sesame

say "insecure: an unknown authority, and no TLS at all"
rm -r "$CERTS"
for name in tls plain; do
    printf '[[registry]]\nprefix = "registry.example"\nlocation = "%s"\ninsecure = true\n' \
        "127.0.0.1:${host[$name]##*:}" >"$CONTAINERS_REGISTRIES_CONF"
    read_back registry.example/team/app:v1 "insecure-$name"
done
: >"$CONTAINERS_REGISTRIES_CONF"

say "a proxy that wants a password: what it sees, and what the log doesn't"
sign proxied /CN=registry.example "subjectAltName=DNS:registry.example"
cp "$T/server.crt" "$T/server.crt.localhost"
cp "$T/proxied.crt" "$T/server.crt"
cp "$T/server.key" "$T/server.key.localhost"
cp "$T/proxied.key" "$T/server.key"
start_registry proxied --tls
cp "$T/server.crt.localhost" "$T/server.crt"
cp "$T/server.key.localhost" "$T/server.key"
start_proxy proxied
assert_mount_fails "without the proxy" "no such host" registry.example/team/app:v1 "ca-file=$T/ca.crt"
export https_proxy=${proxy/sesame/wrong}
assert_mount_fails "a wrong password" "proxy wants a name and password" registry.example/team/app:v1 "ca-file=$T/ca.crt"
export https_proxy=$proxy
mount_indexfs registry.example/team/app:v1 "$T/proxied" "ca-file=$T/ca.crt"
mkdir "$T/proxied/linux-amd64"
cp "$T/app" "$T/proxied/linux-amd64/app"
sync "$T/proxied"
[[ $(cat "$T/proxied/.oci/log" "$T/proxied/.oci/status") != *sesame* ]] || fail "the password is in the log"
unmount "$T/proxied"
read_back registry.example/team/app:v1 proxied "ca-file=$T/ca.crt"
assert_match "the proxy's log" "CONNECT registry.example:443 HTTP/1.1" "$(cat "$T/proxy.log")"

say "plain HTTP through it; the loopback never goes through it"
start_proxy plain
export http_proxy=$proxy https_proxy=$proxy
read_back registry.example/team/app:v1 forwarded plain-http
assert_match "the proxy's log" "GET http://registry.example/v2/team/app/" "$(cat "$T/proxy.log")"
before=$(wc -l <"$T/proxy.log")
read_back "${host[plain]}/team/app:v1" direct
assert_eq "requests to the proxy" "$before" "$(wc -l <"$T/proxy.log")"
unset http_proxy https_proxy

if [[ -f /proc/net/if_inet6 ]] && grep -q '^00000000000000000000000000000001 ' /proc/net/if_inet6; then
    say "a host that is an IPv6 address: TLS, a certificate in certs.d, credentials"
    sign six /CN=six "subjectAltName=IP:::1"
    six="[::1]:$(free_port ::1)"
    mkdir -p "$T/registry-six/data" "$CERTS/$six"
    cp "$T/ca.crt" "$CERTS/$six/"
    echo "tester:$SESAME" >"$T/registry-six/htpasswd"
    cat >"$T/registry-six/config.yml" <<END
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $T/registry-six/data}}
auth: {htpasswd: {realm: test, path: $T/registry-six/htpasswd}}
http: {addr: "$six", secret: test, tls: {certificate: $T/six.crt, key: $T/six.key}}
END
    docker-registry serve "$T/registry-six/config.yml" >"$T/registry-six/log" 2>&1 &
    registry_pid[six]=$!
    wait_until 10 curl -sko /dev/null "https://$six/v2/" || fail "docker-registry: $(cat "$T/registry-six/log")"
    assert_mount_fails "a stranger" "401" "$six/team/app:v1"
    printf '{"auths": {"%s": {"auth": "%s"}}}' "$six" "$(printf tester:sesame | base64)" >"$T/six.json"
    chmod 600 "$T/six.json"
    mount_indexfs "$six/team/app:v1" "$T/six" "authfile=$T/six.json"
    mkdir "$T/six/linux-amd64"
    cp "$T/app" "$T/six/linux-amd64/app"
    sync "$T/six"
    unmount "$T/six"
    read_back "$six/team/app:v1" six "authfile=$T/six.json"
else
    say "(no IPv6 on this machine)"
fi

say "HTTP/2, where the server speaks it"
have_nginx || skip "nginx isn't installed: HTTP/2 was not tried"
LISTEN="ssl http2" start_nginx two plain "ssl_certificate $T/server.crt;" \
    "ssl_certificate_key $T/server.key;" "client_max_body_size 0;"
mount_indexfs "${host[two]}/team/two:v1" "$T/two" "ca-file=$T/ca.crt"
mkdir "$T/two/linux-amd64"
cp "$T/app" "$T/two/linux-amd64/app"
random_file "$T/large" 20000000
cp "$T/large" "$T/two/linux-amd64/large"
sync "$T/two"
unmount "$T/two"
rm -rf "$T/cache-two"
mount_indexfs "${host[two]}/team/two:v1" "$T/two" "ca-file=$T/ca.crt"
assert_same "$T/large" "$T/two/linux-amd64/large"
unmount "$T/two"
assert_match "requests" "HTTP/2.0 PUT 201" "$(cat "$T/nginx-two/access.log")"
assert_eq "requests that aren't HTTP/2" "" "$(grep -v '^HTTP/2.0 ' "$T/nginx-two/access.log" || true)"
