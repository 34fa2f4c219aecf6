#!/bin/bash
# Two mounts append in turn: each keeps what the other published, also where it had not seen it.
. "$(dirname "$0")/lib.sh"

random_file "$T/app" 100000

turns() { # STORE
    local source a=$T/$1-a b=$T/$1-b
    use_store "$1"
    source=$(source_of team/app v1)

    say "$1: one mount publishes, another one appends"
    mount_indexfs "$source" "$a" "$STORE_OPTIONS"
    mkdir "$a/linux-amd64"
    cp "$T/app" "$a/linux-amd64/app"
    sync "$a"
    raw "$source" | jq -c '.manifests[0]' >"$T/entry"
    mount_indexfs "$source" "$b" "$STORE_OPTIONS"
    mkdir "$b/linux-arm64"
    cp "$T/app" "$b/linux-arm64/app"
    sync "$b"
    agree "$b" "$source"
    raw "$source" | grep -qF "$(cat "$T/entry")" || fail "the first entry changed"

    say "$1: the first one's next commit is based on what is gone: both are kept, and shown"
    mkdir "$a/linux-riscv64"
    cp "$T/app" "$a/linux-riscv64/app"
    sync "$a"
    agree "$a" "$source"
    assert_eq "entries" "amd64 arm64 riscv64" \
        "$(raw "$source" | jq -r '.manifests[].platform.architecture' | xargs)"

    say "$1: what wasn't committed is there on top of what the other has published meanwhile"
    mkdir "$a/windows-amd64"
    cp "$T/app" "$a/windows-amd64/app.exe"
    unmount "$a"
    echo more >"$b/linux-arm64/more"
    sync "$b"
    mount_indexfs "$source" "$a" "$STORE_OPTIONS"
    assert_same "$T/app" "$a/windows-amd64/app.exe"
    assert_eq "what the other has published" more "$(cat "$a/linux-arm64/more")"
    sync "$a"
    agree "$a" "$source"
    assert_eq "entries" "linux/amd64 linux/arm64 linux/riscv64 windows/amd64" \
        "$(raw "$source" | jq -r '.manifests[].platform | .os + "/" + .architecture' | xargs)"
    unmount "$a"
    unmount "$b"
}

turns plain
turns layout
