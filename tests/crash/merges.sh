#!/bin/bash
# A kill at each crash point of a commit that merges: afterwards both sides' changes are there, and the
# next commit meets no conflict with itself.
#   tests/crash/merges.sh [BUILD]
BUILD=${1:-build}
INDEXFS=$(realpath "$BUILD/indexfs")
CRASHING=$(realpath "$BUILD/crash/indexfs")
. "$(dirname "$0")/../integration/lib.sh"

# What somebody else publishes over a base, and what was changed here and isn't committed.
prepare() { # SOURCE DIR
    mount_indexfs "$1" "$T/other"
    mkdir "$T/other/linux-amd64"
    echo 1 >"$T/other/linux-amd64/one"
    echo 2 >"$T/other/linux-amd64/two"
    sync "$T/other"
    mount_indexfs "$1" "$2" refresh=off
    echo mine >"$2/linux-amd64/one"
    mkdir "$2/linux-arm64"
    echo new >"$2/linux-arm64/new"
    unmount "$2"
    echo theirs >"$T/other/linux-amd64/two"
    mkdir "$T/other/linux-s390x"
    echo s >"$T/other/linux-s390x/app"
    sync "$T/other"
    unmount "$T/other"
    rm -rf "$T/state-other"
}

assert_both() { # DIR
    assert_eq "what is shown" "mine theirs new s" \
        "$(cat "$1"/linux-amd64/{one,two} "$1/linux-arm64/new" "$1/linux-s390x/app" | xargs)"
}

mapfile -t points < <(grep -rhoE 'CRASH_POINT\("(commit|publish|settle)\.[a-z]+"' "$ROOT/fs" "$ROOT/registry" |
    cut -d'"' -f2)
count=0
for point in "${points[@]}"; do
    count=$((count + 1))
    source=oci:$T/layout/app:v$count
    dir=$T/m$count
    prepare "$source" "$dir"
    INDEXFS=$CRASHING INDEXFS_CRASH=$point:1 mount_indexfs "$source" "$dir" refresh=off
    sync "$dir" 2>/dev/null && fail "$point: not passed"
    pid=${daemon_of[$dir]}
    wait_until 20 dead "$pid" || fail "$point: not killed"
    wait "$pid" 2>/dev/null || true
    unset "daemon_of[$dir]"
    umount -l "$dir"
    mount_indexfs "$source" "$dir" refresh=off
    sync "$dir" || fail "$point: the next commit: $(mount_log "$dir")"
    assert_both "$dir"
    assert_eq "$point: conflicts" "[]" "$(jq -c .conflicts "$dir/.oci/status")"
    assert_eq "$point: uncommitted" "[]" "$(jq -c .uncommitted "$dir/.oci/status")"
    agree "$dir" "$source"
    unmount "$dir"
done
[[ $count -gt 10 ]] || fail "only $count crash points were found"
echo "$count crashes in commits that merge"
