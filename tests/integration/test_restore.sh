#!/bin/bash
# Takes long: starts first.
# What isn't committed is there again: after an unmount, after kill -9, without the registry.
. "$(dirname "$0")/lib.sh"

view() { # DIR: paths, modes and contents of all that is shown
    (
        cd "$1"
        find . -mindepth 1 ! -name '*.oci' -printf '%p %y %m %s\n' | sort
        find . -type f -print0 | sort -z | xargs -0 sha256sum
    )
}

write_to_original() { # DIR: what was copied is written to, the copy stays
    echo more >>"$1/windows-amd64/share/doc/README"
    assert_eq "the original" $'text\nmore' "$(cat "$1/windows-amd64/share/doc/README")"
    assert_eq "its copy" text "$(cat "$1/windows-amd64/README")"
}

for store in plain layout; do
    use_store "$store"
    source=$(source_of team/app v1)
    tag=$T/$store-v1
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS"

    say "$store: a commit, and then one change of each kind"
    mkdir "$tag/linux-amd64" "$tag/linux-arm64" "$tag/linux-riscv64"
    random_file "$tag/linux-amd64/app" 300000
    echo two >"$tag/linux-arm64/app"
    echo three >"$tag/linux-riscv64/app"
    echo '{"app": {"org.example.k": "v"}}' >"$tag/linux-amd64/annotations.json"
    sync "$tag"
    echo more >>"$tag/linux-arm64/app"
    mv "$tag/linux-amd64/app" "$tag/linux-amd64/tool"
    mkdir -p "$tag/windows-amd64/share/doc"
    install -m 755 /bin/true "$tag/windows-amd64/app.exe"
    echo text >"$tag/windows-amd64/share/doc/README"
    cp "$tag/windows-amd64/share/doc/README" "$tag/windows-amd64/README"
    rm "$tag/windows-amd64/app.exe"
    install -m 755 /bin/false "$tag/windows-amd64/app.exe"
    mv "$tag/linux-arm64" "$tag/linux-arm64-v8"
    rm -r "$tag/linux-riscv64"
    echo '{"org.example.index": "annotated"}' >"$tag/annotations.json"
    cp "$tag/linux-amd64/tool" "$tag/windows-amd64/copied"
    echo scratch >"$tag/windows-amd64/.work.swp"
    (echo '{broken' >"$tag/windows-amd64/annotations.json") 2>/dev/null || true
    view "$tag" >"$T/before"

    say "$store: after kill -9, and again after another"
    for _ in 1 2; do
        kill_daemon "$tag"
        mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
        view "$tag" | diff "$T/before" - || fail "the view isn't what it was"
    done

    say "$store: after an unmount, which says that something isn't committed"
    unmount "$tag"
    assert_match "the log" "changes are not committed" "$(mount_log "$tag")"
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
    view "$tag" | diff "$T/before" - || fail "the view isn't what it was"
    assert_match "the broken draft" "windows-amd64/annotations.json" "$(cat "$tag/.oci/status")"
    assert_call EINVAL fsync "$tag"
    echo '{"app.exe": {"org.example.mended": "yes"}}' >"$tag/windows-amd64/annotations.json"

    if [[ $store == plain ]]; then
        say "without the registry: shown, and changed further; published once it's back"
        unmount "$tag"
        stop_registry plain
        mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
        cmp "$tag/windows-amd64/app.exe" /bin/false
        echo offline >"$tag/windows-amd64/offline"
        write_to_original "$tag"
        assert_call ECONNREFUSED fsync "$tag"
        restart_registry plain
    else
        write_to_original "$tag"
    fi
    rm "$tag/windows-amd64/.work.swp"
    sync "$tag"
    agree "$tag" "$source"
    assert_eq "staged files left over" "" "$(ls "$T"/state-"$store"-v1/*/files)"

    say "$store: the registry has it all; nothing is told of by the next mount"
    view "$tag" >"$T/before"
    unmount "$tag"
    rm -rf "$T/state-$store-v1"
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
    view "$tag" | diff "$T/before" - || fail "the view isn't what was published"
    assert_eq "uncommitted" "[]" "$(jq -c .uncommitted "$tag/.oci/status")"
    unmount "$tag"
done

say "a platform that was renamed, and nothing else, stays so over two kills"
use_store layout
source=$(source_of team/renamed v1)
tag=$T/renamed
mount_indexfs "$source" "$tag"
mkdir "$tag/linux-arm64"
echo app >"$tag/linux-arm64/app"
sync "$tag"
mv "$tag/linux-arm64" "$tag/linux-arm64-v8"
for _ in 1 2; do
    kill_daemon "$tag"
    mount_indexfs "$source" "$tag"
    assert_eq "the folders" linux-arm64-v8 "$(ls "$tag")"
done
sync "$tag"
agree "$tag" "$source"
unmount "$tag"

say "the order of new folders, one of them renamed, over two mounts"
source=$(source_of team/order v1)
tag=$T/order
mount_indexfs "$source" "$tag"
for arch in amd64 arm64; do
    mkdir "$tag/linux-$arch"
    echo app >"$tag/linux-$arch/app"
done
mv "$tag/linux-amd64" "$tag/linux-riscv64"
for _ in 1 2; do remount "$source" "$tag"; done
sync "$tag"
assert_eq "entries" "riscv64 arm64" "$(raw "$source" | jq -r '.manifests[].platform.architecture' | xargs)"

say "a folder whose manifest can't be had is removed, and stays so over a kill"
gone=$(raw "$source" | jq -r '.manifests[1].digest')
unmount "$tag"
rm -r "$T/cache-order" "$T/layout/team/order/blobs/${gone/://}"
mount_indexfs "$source" "$tag"
assert_call ENOENT listdir "$tag/linux-arm64"
rmdir "$tag/linux-arm64"
kill_daemon "$tag"
mount_indexfs "$source" "$tag"
assert_eq "the folders" linux-riscv64 "$(ls "$tag")"
sync "$tag"
assert_eq "entries" riscv64 "$(raw "$source" | jq -r '.manifests[].platform.architecture' | xargs)"
unmount "$tag"

say "a second mount of one source by the same user says who holds it"
use_store layout
source=$(source_of team/other v1)
mount_indexfs "$source" "$T/first" "state-dir=$T/shared"
mkdir "$T/second"
status=0
"$INDEXFS" "$source" "$T/second" -o "state-dir=$T/shared" 2>"$T/refused" || status=$?
assert_eq "exit status" 1 "$status"
assert_match "the reason" "mounted already .*first" "$(cat "$T/refused")"
unmount "$T/first"
