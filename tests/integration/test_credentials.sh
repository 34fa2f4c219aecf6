#!/bin/bash
# Takes long: starts first.
# Who the user is: login and logout, podman's and docker's files, helper programs, a password for
# one mount; and that nobody else gets to see it.
. "$(dirname "$0")/lib.sh"

start_registry closed --tls --htpasswd
registry=${host[closed]}
TLS_HOST=$registry
source=$registry/team/app:v1
tls=ca-file=$T/ca.crt
podman=$XDG_RUNTIME_DIR/containers/auth.json
encoded=$(printf tester:sesame | base64)
echo app >"$T/app"

# Nobody sees the password: no log, no status, no argument, no environment, no file of the mount's.
assert_unseen() { # DIR
    local pid
    pid=$(daemon_pid "$1")
    { mount_log "$1"; cat "$1/.oci/log" "$1/.oci/status"
        tr '\0' '\n' <"/proc/$pid/cmdline"; tr '\0' '\n' <"/proc/$pid/environ"; } >"$T/seen"
    ! grep -aE "sesame|$encoded" "$T/seen" || fail "the password can be seen"
    ! grep -raE "sesame|$encoded" "$T/state-$(basename "$1")" "$T/cache-$(basename "$1")" ||
        fail "the password is kept in a file"
}

assert_stranger() { # WHAT [OPTIONS]
    local out status=0
    mkdir -p "$T/stranger"
    out=$(timeout 30 "$INDEXFS" "$source" "$T/stranger" \
        -o "$tls,state-dir=$T/s,cache-dir=$T/c${2:+,$2}" 2>&1 </dev/null) || status=$?
    assert_eq "$1: $out" 1 "$status"
    assert_match "$1" "401|denied" "$out"
}

login() {
    "$INDEXFS" login -o "$tls" "$@" 2>&1
}

say "without credentials nothing is mounted"
assert_stranger "a stranger"

say "a login that the registry refuses keeps nothing"
out=$(login -u tester --password-stdin "$registry" <<<"sesame-wrong") && fail "logged in: $out"
assert_match "refused" "^indexfs: login: $registry: .*HTTP 401.*UNAUTHORIZED" "$out"
! grep -q sesame <<<"$out" || fail "told: $out"
assert_missing "$podman"

say "a password is no argument"
status=0
out=$(login -u tester -p sesame "$registry" </dev/null) || status=$?
assert_eq "exit status of -p" 2 "$status"
assert_match "-p" "can see a password among" "$out"
status=0
out=$(login -u tester "$registry" </dev/null) || status=$?
assert_eq "no password at all: $out" 1 "$status"
assert_missing "$podman"

say "a login, from standard input, is kept where podman looks, for its owner's eyes"
out=$(printf 'sesame\n' | login -u tester --password-stdin "$registry")
assert_eq "login" "Logged in to $registry ($podman)" "$out"
assert_eq "mode" 600 "$(stat -c %a "$podman")"
assert_eq "the file" "{\"auths\":{\"$registry\":{\"auth\":\"$encoded\"}}}" "$(jq -c . "$podman")"

say "the mount, and another client, find it"
mount_indexfs "$source" "$T/found" "$tls"
mkdir "$T/found/linux-amd64"
cp "$T/app" "$T/found/linux-amd64/app"
sync "$T/found"
agree "$T/found" "$source"
assert_unseen "$T/found"
unmount "$T/found"

say "logout forgets it, and only it"
jq '.auths["other.example"] = {auth: "eDp5"}' "$podman" >"$T/two" && cat "$T/two" >"$podman"
out=$("$INDEXFS" logout "https://$registry/v2/")
assert_eq "logout" "Logged out of $registry ($podman)" "$out"
assert_eq "the file" '{"auths":{"other.example":{"auth":"eDp5"}}}' "$(jq -c . "$podman")"
assert_stranger "after the logout"
assert_eq "logout again" "Not logged in to $registry" "$("$INDEXFS" logout "$registry")"

say "what another client keeps is found too"
skopeo login -u tester --password-stdin --cert-dir "$T/certs" "$registry" <<<sesame >/dev/null
mount_indexfs "$source" "$T/skopeo" "$tls"
assert_same "$T/app" "$T/skopeo/linux-amd64/app"
unmount "$T/skopeo"
"$INDEXFS" logout "$registry" >/dev/null

say "INDEXFS_PASSWORD logs in; docker's file is used where it's the one that is there"
rm -r "$XDG_RUNTIME_DIR/containers"
mkdir -p "$HOME/.docker"
printf '{\n  "HttpHeaders": {"X":  "y"},\n  "auths": {}\n}\n' >"$HOME/.docker/config.json"
out=$(INDEXFS_PASSWORD=sesame login -u tester "$registry")
assert_eq "login" "Logged in to $registry ($HOME/.docker/config.json)" "$out"
grep -q '"HttpHeaders": {"X":  "y"},' "$HOME/.docker/config.json" || fail "other bytes have changed"
assert_missing "$podman"
mount_indexfs "$source" "$T/docker" "$tls"
assert_same "$T/app" "$T/docker/linux-amd64/app"

say "a file that comes first and is wrong, in order"
mkdir -p "$XDG_RUNTIME_DIR/containers" "$XDG_CONFIG_HOME/containers"
wrong=$(printf tester:wrong | base64)
entry() { # KEY AUTH
    printf '{"auths":{"%s":{"auth":"%s"}}}' "$1" "$2"
}
entry "$registry" "$wrong" >"$XDG_CONFIG_HOME/containers/auth.json"
assert_stranger "XDG_CONFIG_HOME before docker's"
entry "$registry" "$encoded" >"$podman"
mount_indexfs "$source" "$T/order" "$tls"
unmount "$T/order"
entry "$registry" "$wrong" >"$T/named.json"
chmod 600 "$T/named.json"
REGISTRY_AUTH_FILE=$T/named.json assert_stranger "REGISTRY_AUTH_FILE before all of those"
REGISTRY_AUTH_FILE=$T/named.json mount_indexfs "$source" "$T/option" "$tls,authfile=$podman"
unmount "$T/option"
INDEXFS_PASSWORD=wrong assert_stranger "username= before all" "authfile=$podman,username=tester"
entry "$registry/team" "$encoded" | jq -c --arg key "$registry" --arg auth "$wrong" \
    '.auths[$key] = {auth: $auth}' >"$podman"
mount_indexfs "$source" "$T/longest" "$tls,authfile=$podman"
unmount "$T/longest"

say "a file that isn't JSON is named, with the place"
echo '{"auths": sesame}' >"$T/broken.json"
assert_fails "broken" "broken.json: line 1, column 11: " \
    env REGISTRY_AUTH_FILE="$T/broken.json" "$INDEXFS" "$source" "$T/stranger" -o "$tls"
assert_fails "missing" "authfile .*/nowhere.json: No such file" \
    "$INDEXFS" "$source" "$T/stranger" -o "$tls,authfile=$T/nowhere.json"

say "a password for one mount, in the environment or on standard input, and nobody sees it"
rm "$podman" "$XDG_CONFIG_HOME/containers/auth.json" "$HOME/.docker/config.json"
unmount "$T/docker"
INDEXFS_PASSWORD=sesame mount_indexfs "$source" "$T/once" "$tls,username=tester"
assert_same "$T/app" "$T/once/linux-amd64/app"
echo more >"$T/once/linux-amd64/more"
sync "$T/once"
assert_unseen "$T/once"
unmount "$T/once"
mkdir "$T/stdin"
printf 'sesame\nnot read\n' | "$INDEXFS" "$source" "$T/stdin" \
    -o "$tls,username=tester,state-dir=$T/state-stdin,cache-dir=$T/cache-stdin"
assert_same "$T/app" "$T/stdin/linux-amd64/app"
"$INDEXFS" umount "$T/stdin"
assert_fails "no password" "the password on standard input: it is empty" \
    "$INDEXFS" "$source" "$T/stdin" -o "$tls,username=tester" </dev/null

say "the most detailed log doesn't tell it either"
mkdir "$T/debug"
INDEXFS_PASSWORD=sesame "$INDEXFS" "$source" "$T/debug" -d \
    -o "$tls,username=tester,state-dir=$T/state-debug,cache-dir=$T/cache-debug" \
    >"$T/debug.log" 2>&1 &
daemon_of[$T/debug]=$!
wait_until 20 mounted_or_dead "$T/debug"
assert_same "$T/app" "$T/debug/linux-amd64/app"
assert_unseen "$T/debug"
unmount "$T/debug"

say "a helper keeps it: stored, found, forgotten, in no argument and in no file of ours"
mkdir "$T/bin"
cat >"$T/bin/docker-credential-drawer" <<'EOF'
#!/bin/sh
{ echo "$0 $*"; tr '\0' '\n' <"/proc/$$/environ"; } >>"$DRAWER.calls"
case $1 in
store) cat >"$DRAWER" ;;
get) cat >/dev/null; cat "$DRAWER" 2>/dev/null ||
    { echo "credentials not found in native keychain"; exit 1; } ;;
erase) rm "$DRAWER" ;;
esac
EOF
chmod +x "$T/bin/docker-credential-drawer"
export PATH=$T/bin:$PATH DRAWER=$T/drawer
printf '{"credHelpers":{"%s":"drawer"}}' "$registry" >"$podman"
chmod 600 "$podman"
out=$(INDEXFS_PASSWORD=sesame login -u tester "$registry")
assert_eq "login" "Logged in to $registry (docker-credential-drawer)" "$out"
assert_eq "the file" "{\"credHelpers\":{\"$registry\":\"drawer\"}}" "$(cat "$podman")"
assert_eq "kept" "$registry tester sesame" "$(jq -r '"\(.ServerURL) \(.Username) \(.Secret)"' "$DRAWER")"
mount_indexfs "$source" "$T/helper" "$tls"
assert_same "$T/app" "$T/helper/linux-amd64/app"
assert_unseen "$T/helper"
unmount "$T/helper"
! grep -a sesame "$DRAWER.calls" || fail "a helper was told by argument or environment"
assert_eq "logout" "Logged out of $registry (docker-credential-drawer)" "$("$INDEXFS" logout "$registry")"
assert_missing "$DRAWER"
assert_stranger "after the logout"

say "a helper that hangs ends the mount within its limit, with a reason"
printf '#!/bin/sh\nsleep 300\n' >"$T/bin/docker-credential-drawer"
start=$SECONDS
assert_fails "a helper that hangs" "docker-credential-drawer: it doesn't end" \
    "$INDEXFS" "$source" "$T/stranger" -o "$tls"
[[ $((SECONDS - start)) -lt 20 ]] || fail "it took $((SECONDS - start)) s"
rm "$podman"

say "on a terminal it's asked for, without echo"
out=$(python3 "$HERE/terminal.py" tester sesame -- "$INDEXFS" login -o "$tls" "$registry")
assert_match "login" "Username: tester.*Password: .*Logged in to $registry .*exit 0, echo on" "$out"
! grep -q sesame <<<"$out" || fail "echoed: $out"
"$INDEXFS" logout "$registry" >/dev/null
out=$(python3 "$HERE/terminal.py" ^C -- "$INDEXFS" login -u tester -o "$tls" "$registry")
assert_match "the interrupt key" "exit -2, echo on" "$out"
assert_stranger "after the interrupt"
