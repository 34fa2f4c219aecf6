#!/bin/bash
# Two mounts append in turn: each keeps what the other published; a tag that moved in between
# gives ESTALE and loses nothing.
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

    say "$1: the first one's next commit is based on what is gone: ESTALE, nothing lost"
    raw "$source" >"$T/index"
    mkdir "$a/linux-riscv64"
    cp "$T/app" "$a/linux-riscv64/app"
    assert_call ESTALE fsync "$a"
    assert_same "$T/app" "$a/linux-riscv64/app"
    raw "$source" | cmp - "$T/index" || fail "the tag moved"
    assert_match "the log" "moved|conflict" "$(mount_log "$a")"

    say "$1: it is still there after a new mount, and publishes on top from one of its own"
    remount "$source" "$a" "$STORE_OPTIONS"
    assert_same "$T/app" "$a/linux-riscv64/app"
    mount_indexfs "$source" "$T/$1-c" "$STORE_OPTIONS"
    cp -a "$a/linux-riscv64" "$T/$1-c/linux-riscv64"
    sync "$T/$1-c"
    agree "$T/$1-c" "$source"
    assert_eq "entries" "amd64 arm64 riscv64" \
        "$(raw "$source" | jq -r '.manifests[].platform.architecture' | xargs)"
    unmount "$T/$1-c"
    unmount "$a"
    unmount "$b"
}

turns plain
turns layout
