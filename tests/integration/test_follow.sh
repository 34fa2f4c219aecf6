#!/bin/bash
# Takes long: starts first.
# Reading follows the tag: what others publish is shown, whole, with local changes on top, and an open
# file keeps its bytes.
. "$(dirname "$0")/lib.sh"
. "$HERE/lib/fixture.sh"

shows() { # FILE TEXT: looking is what makes the mount ask
    [[ $(cat "$1" 2>/dev/null) == "$2" ]]
}

gone() {
    [[ ! -e $1 ]]
}

asked() { # NAME MARK: how many times about the tag
    fixture_log "$1" "$2" | grep -cE '^[0-9]+ (HEAD|GET) /v2/team/app/manifests/v1 ' || true
}

following() { # STORE
    local source a=$T/$1-a b=$T/$1-b
    source=$(source_of team/app v1)
    mount_indexfs "$source" "$a" "$STORE_OPTIONS,refresh=0"
    mkdir -p "$a/linux-amd64/share" "$a/linux-arm64"
    random_file "$T/big" 300000
    cp "$T/big" "$a/linux-amd64/big"
    echo one >"$a/linux-amd64/app"
    echo same >"$a/linux-amd64/share/same"
    echo arm >"$a/linux-arm64/app"
    sync "$a"
    mount_indexfs "$source" "$b" "$STORE_OPTIONS,refresh=0"
    ls -R "$b" >/dev/null

    say "$1: changed, added, removed files and folders, annotations"
    exec 7<"$b/linux-amd64/big"
    head -c 1000 <&7 >"$T/head"
    cd "$b/linux-amd64"
    inode=$(stat -c %i share/same)
    random_file "$T/big2" 300000
    cp "$T/big2" "$a/linux-amd64/big"
    echo two >"$a/linux-amd64/app"
    echo new >"$a/linux-amd64/share/new"
    rm -r "$a/linux-arm64"
    mkdir "$a/linux-s390x"
    echo s >"$a/linux-s390x/app"
    echo '{"org.example.k": "v"}' >"$a/annotations.json"
    sync "$a"
    wait_until 30 shows "$b/linux-amd64/app" two || fail "app: $(cat "$b/linux-amd64/app")"
    assert_eq "ls" "annotations.json linux-amd64 linux-s390x" "$(ls "$b" | xargs)"
    assert_eq "annotations" v "$(jq -r '."org.example.k"' "$b/annotations.json")"
    assert_same "$T/big2" "$b/linux-amd64/big"
    agree "$b" "$source"

    say "$1: who stands in a folder sees it too; the same file is the same file"
    assert_eq "from within" "new" "$(cat share/new)"
    assert_eq "the inode" "$inode" "$(stat -c %i share/same)"
    cd "$T"

    say "$1: an open file keeps the bytes that it was opened with"
    cat <&7 >"$T/tail"
    exec 7<&-
    cat "$T/head" "$T/tail" | cmp - "$T/big" || fail "the open file has changed"

    say "$1: what was changed here stays on top, and is committed upon theirs"
    echo mine >"$b/linux-amd64/app"
    echo scratch >"$b/linux-s390x/.app.swp"
    echo more >"$a/linux-amd64/more"
    echo t >"$a/linux-s390x/app"
    sync "$a"
    wait_until 30 shows "$b/linux-s390x/app" t || fail "app of s390x"
    assert_eq "mine" mine "$(cat "$b/linux-amd64/app")"
    assert_eq "the scratch file" scratch "$(cat "$b/linux-s390x/.app.swp")"
    sync "$b"
    assert_eq "more" more "$(cat "$b/linux-amd64/more")"
    rm "$b/linux-s390x/.app.swp"
    agree "$b" "$source"
    wait_until 30 shows "$a/linux-amd64/app" mine || fail "the other doesn't follow"

    say "$1: a listing that has begun tells one version, whole"
    python3 - "$a" "$b" <<'EOF'
import os, sys, time
a, b = (path + "/listed-amd64" for path in sys.argv[1:])
def names(what): return {f"{what}-{i:0200}" for i in range(200)}
def publish():
    tag = os.open(sys.argv[1], os.O_RDONLY)
    os.fsync(tag)
    os.close(tag)
def wait_for(wanted):
    for _ in range(600):
        if os.path.isdir(b) and set(os.listdir(b)) == wanted:
            return
        time.sleep(0.1)
    sys.exit("what was published isn't shown")
os.mkdir(a)
for name in names("old"):
    with open(f"{a}/{name}", "w") as file:
        file.write("x")
publish()
wait_for(names("old"))
listing = os.scandir(b)
seen = [next(listing).name for _ in range(20)]
for name in names("old"):
    os.rename(f"{a}/{name}", f"{a}/" + name.replace("old", "new"))
publish()
wait_for(names("new"))
seen += [entry.name for entry in listing]
assert len(seen) == 200 and set(seen) == names("old"), sorted(name[:5] for name in seen)
EOF

    say "$1: the annotations of a folder that a commit has left out go once others publish one"
    mkdir "$b/linux-riscv64"
    echo '{"k": "v"}' >"$b/linux-riscv64/annotations.json"
    sync "$b"
    assert_eq "as long as nobody does" v "$(jq -r '.["$descriptor"].k' "$b/linux-riscv64/annotations.json")"
    mkdir "$a/linux-riscv64"
    echo r >"$a/linux-riscv64/app"
    sync "$a"
    wait_until 30 shows "$b/linux-riscv64/app" r || fail "app of riscv64"
    assert_missing "$b/linux-riscv64/annotations.json"
    sync "$b"
    agree "$b" "$source"

    say "$1: kill -9 with changes on top: they are there again"
    echo again >"$b/linux-amd64/again"
    echo u >"$a/linux-s390x/app"
    sync "$a"
    wait_until 30 shows "$b/linux-s390x/app" u || fail "app of s390x"
    kill_daemon "$b"
    mount_indexfs "$source" "$b" "$STORE_OPTIONS,refresh=0"
    assert_eq "again" again "$(cat "$b/linux-amd64/again")"
    assert_eq "u" u "$(cat "$b/linux-s390x/app")"
    sync "$b"
    agree "$b" "$source"
    unmount "$a"
    unmount "$b"
}

use_store plain
following plain
use_store layout
following layout

say "another client's push is followed, and a removed tag is an empty folder"
make_image "$T/made" v1 amd64 /bin/true
make_image "$T/made" v2 amd64 /bin/false
start_fixture reg
push "$T/made:v1" "${host[reg]}/team/app:v1"
mount_indexfs "${host[reg]}/team/app:v1" "$T/v1" refresh=0
digest=$(getfattr --only-values -n user.oci.digest "$T/v1")
mark=$(fixture_mark reg)
push "$T/made:v2" "${host[reg]}/team/app:v1"
moved() {
    ls "$T/v1" >/dev/null
    [[ $(getfattr --only-values -n user.oci.digest "$T/v1" 2>/dev/null) != "$1" ]]
}
wait_until 30 moved "$digest" || fail "the push isn't followed"
agree "$T/v1" "${host[reg]}/team/app:v1"
fixture_log reg "$mark" | grep -q 'HEAD /v2/team/app/manifests/v1 304' || fail "no conditional HEAD"
curl -sS -X DELETE "http://${host[reg]}/v2/team/app/manifests/v1"
empty() {
    [[ -z $(ls "$T/v1") ]]
}
wait_until 30 empty || fail "the removed tag still shows $(ls "$T/v1")"
mkdir "$T/v1/linux-arm64"
echo anew >"$T/v1/linux-arm64/app"
sync "$T/v1"
agree "$T/v1" "${host[reg]}/team/app:v1"

say "a registry that doesn't answer delays no access, and is told of once"
unwatched() {
    [[ $(jq .watching "$T/v1/.oci/status") == false ]]
}
wait_until 30 unwatched || fail "still watched"
kill -STOP "${registry_pid[reg]}"
for _ in $(seq 20); do timeout 20 ls -R "$T/v1" >/dev/null || fail "ls waits for the registry"; done
assert_eq "app" anew "$(timeout 20 cat "$T/v1/linux-arm64/app")"
kill -CONT "${registry_pid[reg]}"
stop_fixture reg
told() {
    ls "$T/v1" >/dev/null
    grep -q "isn't followed for now" "$T/v1.log"
}
wait_until 60 told || fail "not told"
for _ in $(seq 20); do ls -R "$T/v1" >/dev/null; done
assert_eq "how often it is told" 1 "$(grep -c "isn't followed for now" "$T/v1.log")"
unmount "$T/v1"

say "how often a tag is asked"
start_fixture reg2
push "$T/made:v1" "${host[reg2]}/team/app:v1"
mount_indexfs "${host[reg2]}/team/app:v1" "$T/often" refresh=3600
mark=$(fixture_mark reg2)
for _ in $(seq 20); do ls -R "$T/often" >/dev/null; done
assert_eq "within its time" 0 "$(asked reg2 "$mark")"
remount "${host[reg2]}/team/app:v1" "$T/often" refresh=off
mark=$(fixture_mark reg2)
sleep 1.2
for _ in $(seq 20); do ls -R "$T/often" >/dev/null; done
assert_eq "never" 0 "$(asked reg2 "$mark")"
digest=$(skopeo inspect --raw --tls-verify=false "docker://${host[reg2]}/team/app:v1" | sha256sum | cut -d' ' -f1)
remount "${host[reg2]}/team/app@sha256:$digest" "$T/often" refresh=0
mark=$(fixture_mark reg2)
for _ in $(seq 20); do ls -R "$T/often" >/dev/null; done
assert_eq "a digest" 0 "$(fixture_log reg2 "$mark" | grep -c HEAD || true)"
unmount "$T/often"
stop_fixture reg2
assert_fails "a wrong value" "refresh=soon: it takes seconds" "$INDEXFS" "oci:$T/l:v1" "$T/often" -o refresh=soon
