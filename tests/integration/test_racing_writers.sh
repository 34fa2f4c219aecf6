#!/bin/bash
# Takes long: starts first.
# Sixteen mounts, each with state and cache of its own, add a platform each to one tag in the same
# moment: every round ends with all sixteen. ROUNDS=2, WRITERS=16.
. "$(dirname "$0")/lib.sh"
. "$HERE/lib/fixture.sh"

ROUNDS=${ROUNDS:-2}
WRITERS=${WRITERS:-16}

# sum FILTER: over the status of all mounts.
sum() {
    local i
    for ((i = 0; i < WRITERS; i++)); do jq "$1" "$T/m$i/.oci/status"; done | jq -s add
}

none_watches() {
    [[ $(sum 'if .watching then 1 else 0 end') -eq 0 ]]
}

# docker-registry answers 500 to who asks for a tag while its file is written anew: with so many at it
# on a slow machine that may be five times in a row.
OPTIONS=retries=10

# Each waits for the same line before it syncs.
write() { # MOUNT ROUND
    mkdir "$1/linux-w${1##*/m}"
    echo "$2" >"$1/linux-w${1##*/m}/app"
    wait_until 60 test -e "$T/go-$2"
    sync "$1/linux-w${1##*/m}/app"
}

race() { # NAME HOST [CACHE: one that all share]
    local source round i pid failed total=0
    local -a writers
    for ((round = 1; round <= ROUNDS; round++)); do
        source=$2/team/$1:v$round
        rm -f "$T"/go-*
        for ((i = 0; i < WRITERS; i++)); do
            mount_indexfs "$source" "$T/m$i" \
                "$OPTIONS,state-dir=$T/state-$1-$round-$i,cache-dir=${3:-$T/cache-$1-$round-$i}"
        done
        writers=()
        for ((i = 0; i < WRITERS; i++)); do
            write "$T/m$i" "$round" &
            writers+=($!)
        done
        sleep 0.5
        touch "$T/go-$round"
        failed=0
        for pid in "${writers[@]}"; do wait "$pid" || failed=$((failed + 1)); done
        assert_eq "$1, round $round: commits that failed" 0 "$failed"
        wait_until 60 none_watches || fail "$1, round $round: some still watch"
        printf '   %s, round %d: %d writers, %d merges, %d pushed again\n' "$1" "$round" "$WRITERS" \
            "$(sum .merges)" "$(sum .repushes)"
        total=$(raw "$source" | jq '.manifests | length')
        assert_eq "$1, round $round: platforms" "$WRITERS" "$total"
        raw "$source" | jq -r '.manifests[].digest' | while read -r digest; do
            raw "${source%:*}@$digest" >/dev/null
        done
        [[ -z ${3-} ]] || assert_eq "$1, round $round: pushed again" 0 "$(sum .repushes)"
        for ((i = 0; i < WRITERS; i++)); do unmount "$T/m$i"; done
    done
}

say "a registry that ignores conditions"
use_store plain
race plain "${host[plain]}"

say "the same with a cache that all share: they take turns, and nobody overwrites anybody"
ROUNDS=1 race turns "${host[plain]}" "$T/cache-shared"

say "one that keeps to them"
start_fixture cond
race cond "${host[cond]}"
stop_fixture cond
