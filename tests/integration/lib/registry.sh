# shellcheck shell=bash
# Debian's docker-registry on the loopback, and what its access log tells.

# start_registry NAME [--tls [--client-ca]] [--readonly] [--htpasswd]: docker-registry on a free loopback
# port. Sets host[NAME] (HOST:PORT) and access_log[NAME] (a line for each request, in the order in which
# they were answered).
start_registry() {
    local name=$1 dir=$T/registry-$1 arg tls='' maintenance='' auth='' port=0
    shift
    mkdir -p "$dir/data"
    for arg in "$@"; do
        case $arg in
        --tls)
            [[ -f $T/ca.crt ]] || make_ca
            tls="{certificate: $T/server.crt, key: $T/server.key}"
            ;;
        --client-ca) tls="{certificate: $T/server.crt, key: $T/server.key, clientcas: [$T/ca.crt]}" ;;
        --readonly) maintenance='{readonly: {enabled: true}}' ;;
        --htpasswd)
            # The password is "sesame"; the registry takes bcrypt only.
            echo "tester:$SESAME" >"$dir/htpasswd"
            auth="{htpasswd: {realm: test, path: $dir/htpasswd}}"
            ;;
        *) fail "start_registry: $arg" ;;
        esac
    done
    cat >"$dir/config.yml" <<EOF
version: 0.1
log: {level: error, accesslog: {disabled: false}}
storage:
  filesystem: {rootdirectory: $dir/data}
  delete: {enabled: true}
  ${maintenance:+maintenance: $maintenance}
${auth:+auth: $auth}
http:
  addr: 127.0.0.1:PORT
  secret: test
  ${tls:+tls: $tls}
EOF
    serve_registry "$name" "$port"
}

# bcrypt of "sesame"
# shellcheck disable=SC2016
SESAME='$2y$05$abcdefghijklmnopqrstuuKcS.CYWVYVaLiiCKrrc0A5s3mGesJ9O'

serve_registry() { # NAME PORT (0: any)
    local name=$1 port=$2 dir=$T/registry-$1 pid
    sed "s/PORT/$port/" "$dir/config.yml" >"$dir/served.yml"
    docker-registry serve "$dir/served.yml" >>"$dir/access.log" 2>>"$dir/error.log" &
    pid=$!
    wait_until 10 registry_listens "$pid" >/dev/null || fail "docker-registry: $(cat "$dir/error.log")"
    port=$(registry_listens "$pid")
    echo "$port" >"$dir/port"
    registry_pid[$name]=$pid
    host[$name]=localhost:$port
    access_log[$name]=$dir/access.log
}

# The loopback port that a process listens on, from its sockets in /proc.
registry_listens() {
    local inode
    for inode in $(find "/proc/$1/fd" -lname 'socket:*' -printf '%l\n' 2>/dev/null | tr -dc '0-9\n'); do
        awk -v inode="$inode" '$4 == "0A" && $10 == inode {
            split($2, a, ":"); print hex(a[2]); found = 1 }
            function hex(h,   i, n) {
                for (i = 1; i <= length(h); i++)
                    n = n * 16 + index("0123456789ABCDEF", substr(h, i, 1)) - 1
                return n
            }
            END { exit !found }' /proc/net/tcp && return 0
    done
    return 1
}

stop_registry() { # NAME
    local pid=${registry_pid[$1]}
    kill "$pid"
    wait "$pid" || true
}

# The same registry again, on the port that it had.
restart_registry() {
    serve_registry "$1" "$(cat "$T/registry-$1/port")"
}

# A certificate authority of this test alone, and a server certificate for the loopback.
make_ca() {
    openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=indexfs test CA" \
        -keyout "$T/ca.key" -out "$T/ca.crt" 2>/dev/null
    openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" \
        -keyout "$T/server.key" -out "$T/server.csr" 2>/dev/null
    openssl x509 -req -in "$T/server.csr" -CA "$T/ca.crt" -CAkey "$T/ca.key" -CAcreateserial \
        -days 2 -out "$T/server.crt" 2>/dev/null \
        -extfile <(echo "subjectAltName=DNS:localhost,IP:127.0.0.1")
    mkdir -p "$T/certs"
    cp "$T/ca.crt" "$T/certs/ca.crt"
}

# mark=$(log_mark LOG); requests LOG MARK: "METHOD PATH STATUS" of each request since, with the
# query left out and an upload's session number as "UPLOAD".
log_mark() {
    wc -l <"$1"
}

requests() {
    tail -n "+$(($2 + 1))" "$1" |
        sed -nE 's/^[^"]*"([A-Z]+) ([^ "?]*)[^ "]* HTTP[^"]*" ([0-9]+) ([0-9]+).*/\1 \2 \3/p' |
        sed -E 's#/blobs/uploads/[^ ]+#/blobs/uploads/UPLOAD#'
}

requests_matching() { # LOG MARK REGEX
    requests "$1" "$2" | grep -E "$3" || true
}

assert_no_request() { # LOG MARK REGEX
    local got
    got=$(requests_matching "$@")
    [[ -z $got ]] || fail "requests that shouldn't be:"$'\n'"$got"
}

assert_requests() { # LOG MARK REGEX COUNT
    local got count
    got=$(requests_matching "$1" "$2" "$3")
    count=$(grep -c . <<<"$got" || true)
    [[ $count -eq $4 ]] || fail "expected $4 requests that match $3, got $count of:"$'\n'"$(requests "$1" "$2")"
}
