# shellcheck shell=bash
# nginx as what stands before a registry.

free_port() { # ADDRESS
    python3 -c 'import socket, sys
with socket.create_server((sys.argv[1], 0), family=socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET) as s:
    print(s.getsockname()[1])' "$1"
}

have_nginx() {
    PATH=$PATH:/usr/sbin command -v nginx >/dev/null
}

# start_nginx NAME TO [LINE...]: before host[TO], with these lines in its server; sets host[NAME]. With
# "ssl" among what LISTEN says it speaks TLS, as the server of make_ca. Its access log, a line
# "PROTOCOL METHOD STATUS" for each request, is $T/nginx-NAME/access.log.
start_nginx() {
    local name=$1 to=$2 dir=$T/nginx-$1 port scheme=http
    shift 2
    port=$(free_port 127.0.0.1)
    [[ -z ${LISTEN-} ]] || scheme=https
    mkdir -p "$dir/tmp"
    cat >"$dir/conf" <<END
user root;
daemon off;
worker_processes 1;
pid $dir/pid;
error_log $dir/error.log;
events { worker_connections 64; }
http {
    log_format requests '\$server_protocol \$request_method \$status';
    access_log $dir/access.log requests;
    client_body_temp_path $dir/tmp/body;
    proxy_temp_path $dir/tmp/proxy;
    fastcgi_temp_path $dir/tmp/fastcgi;
    uwsgi_temp_path $dir/tmp/uwsgi;
    scgi_temp_path $dir/tmp/scgi;
    server {
        listen 127.0.0.1:$port ${LISTEN-};
$(printf '        %s\n' "$@")
        location / {
            proxy_pass http://${host[$to]/localhost/127.0.0.1};
            proxy_set_header Host \$http_host;
            proxy_set_header X-Forwarded-Proto $scheme;
        }
    }
}
END
    PATH=$PATH:/usr/sbin nginx -p "$dir" -c "$dir/conf" -e "$dir/error.log" &
    registry_pid[$name]=$!
    wait_until 10 curl -sko /dev/null "$scheme://localhost:$port/v2/" || fail "nginx: $(cat "$dir/error.log")"
    : >"$dir/access.log"
    host[$name]=localhost:$port
}
