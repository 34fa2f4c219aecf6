# shellcheck shell=bash
# What every mount test begins with: a folder of its own, registries, mounts, assertions.
#
# A test sources this file, says what it shows with `say`, and fails at the first assertion that
# doesn't hold. Whatever happens, its mounts are taken down and its processes ended when it exits.
# Environment: INDEXFS (the program), TMPDIR, KEEP=1 (keep the test's folder).

set -Eeuo pipefail
shopt -s inherit_errexit

# Debian's programs, not those that a developer has installed before them.
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

HERE=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
ROOT=$(cd "$HERE/../.." && pwd)
INDEXFS=${INDEXFS:-$ROOT/build/indexfs}
TEST=$(basename "$0" .sh)
T=$(mktemp -d "${TMPDIR:-/tmp}/indexfs-$TEST.XXXXXX")
export HOME=$T/home XDG_CACHE_HOME=$T/xdg-cache XDG_STATE_HOME=$T/xdg-state
export XDG_RUNTIME_DIR=$T/run XDG_CONFIG_HOME=$T/config
unset DOCKER_CONFIG REGISTRY_AUTH_FILE SOURCE_DATE_EPOCH http_proxy https_proxy all_proxy
mkdir -p "$HOME" "$XDG_RUNTIME_DIR"

declare -A daemon_of=() # mount point -> pid
declare -A host=() access_log=() registry_pid=() # by the name of a registry
declare -a tmpfs_mounts=()
broken=0

say() {
    printf -- '-- %s\n' "$*"
}

skip() {
    echo "skip: $*"
    exit 77
}

fail() {
    local i
    printf 'FAILED: %s\n' "$*" >&2
    for ((i = 1; i < ${#FUNCNAME[@]}; i++)); do
        [[ ${FUNCNAME[i]} == main ]] && printf '  at %s:%s\n' "$TEST.sh" "${BASH_LINENO[i - 1]}" >&2
    done
    exit 1
}

trap 'status=$?; say_failed_command "$status" "$BASH_COMMAND" "$LINENO"' ERR
say_failed_command() {
    printf 'FAILED: exit %s at line %s: %s\n' "$1" "$3" "$2" >&2
}

# shellcheck source=lib/assert.sh
. "$HERE/lib/assert.sh"
# shellcheck source=lib/mount.sh
. "$HERE/lib/mount.sh"
# shellcheck source=lib/registry.sh
. "$HERE/lib/registry.sh"
# shellcheck source=lib/skopeo.sh
. "$HERE/lib/skopeo.sh"
# shellcheck source=lib/store.sh
. "$HERE/lib/store.sh"

# The last lines of a daemon's log, or from where a sanitizer's report begins.
show_log() {
    local log line
    log=$T/$(basename "$1").log
    line=$(grep -n -m 1 -E 'ERROR: [A-Za-z]+Sanitizer|runtime error:' "$log" | cut -d: -f1)
    if [[ -n $line ]]; then tail -n "+$line" "$log" | head -n 60; else tail -n 30 "$log"; fi
}

# Unmounting lazily is the last resort, and a failure of the test.
clean_up() {
    local status=$? dir pid
    trap - ERR
    set +e
    cd /
    for dir in "${!daemon_of[@]}"; do
        pid=${daemon_of[$dir]}
        if mountpoint -q "$dir" || ! dead "$pid"; then
            wait_until 3 try_unmount "$dir" || { umount -l "$dir"; fusermount3 -uz "$dir" 2>/dev/null; broken=1; }
        fi
        wait_until 20 dead "$pid" || { kill -9 "$pid"; broken=1; }
        wait "$pid" 2>/dev/null || [[ $status -ne 0 ]] || broken=1
        [[ $status -eq 0 ]] || { echo "--- log of $dir:"; show_log "$dir"; }
    done
    # What a test has mounted without mount_indexfs, in the background.
    awk -v t="$T/" '$3 ~ /^fuse/ && index($2, t) == 1 { print $2 }' /proc/mounts |
        while read -r dir; do fusermount3 -u "$dir" || fusermount3 -uz "$dir"; done
    for pid in "${registry_pid[@]}"; do
        kill "$pid" 2>/dev/null
        wait "$pid" 2>/dev/null
    done
    for dir in "${tmpfs_mounts[@]}"; do
        umount "$dir" || umount -l "$dir"
    done
    if [[ ${KEEP:-0} == 1 ]]; then echo "kept: $T"; else rm -rf "$T"; fi
    if [[ $status -eq 0 && $broken -ne 0 ]]; then
        echo "FAILED: a mount or its daemon was left over or ended badly"
        status=1
    fi
    exit "$status"
}
trap clean_up EXIT
trap 'exit 143' TERM INT

[[ -x $INDEXFS ]] || { echo "FAILED: $INDEXFS isn't built"; exit 1; }
[[ -c /dev/fuse ]] || skip "no /dev/fuse on this machine"
