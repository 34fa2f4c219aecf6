# shellcheck shell=bash
# Mounts, and the small disks that they fill up.

# mount_indexfs SOURCE DIR [OPTIONS]: returns once the mount answers. The daemon stays a child, so
# that its exit status and what it says can be judged. State and cache belong to the mount point,
# unless OPTIONS names others: what one mount has cached can't hide what another doesn't fetch.
mount_indexfs() {
    local source=$1 dir=$2 options=${3-} name log
    name=$(basename "$dir")
    log=$T/$name.log
    mkdir -p "$dir"
    [[ ,$options == *,state-dir=* ]] || options+=,state-dir=$T/state-$name
    [[ ,$options == *,cache-dir=* ]] || options+=,cache-dir=$T/cache-$name
    echo "== mount $source $options" >>"$log"
    "$INDEXFS" "$source" "$dir" -f -o "${options#,}" >>"$log" 2>&1 &
    # shellcheck disable=SC2004 # its index is text
    daemon_of[$dir]=$!
    wait_until 20 mounted_or_dead "$dir" || fail "mount of $source didn't answer: $(cat "$log")"
    mountpoint -q "$dir" || fail "mount of $source: $(cat "$log")"
}

mounted_or_dead() {
    mountpoint -q "$1" || ! alive "${daemon_of[$1]}"
}

alive() {
    local state
    state=$(sed -n 's/^State:\t\(.\).*/\1/p' "/proc/$1/status" 2>/dev/null) || return 1
    [[ -n $state && $state != Z ]]
}

dead() {
    ! alive "$1"
}

# What the daemon of a mount point has said up to now.
mount_log() {
    cat "$T/$(basename "$1").log"
}

daemon_pid() {
    echo "${daemon_of[$1]}"
}

# unmount DIR: the mount goes, the daemon ends by itself with status 0 and no sanitizer report.
unmount() {
    local dir=$1 pid=${daemon_of[$1]} status=0
    wait_until 5 try_unmount "$dir" || fail "can't unmount $dir: $(fuser -vm "$dir" 2>&1 || true)"
    wait_until 30 dead "$pid" || fail "the daemon of $dir is still there after the unmount"
    wait "$pid" || status=$?
    unset "daemon_of[$dir]"
    judge_daemon "$dir" "$status"
}

try_unmount() {
    fusermount3 -u "$1" 2>/dev/null || umount "$1" 2>/dev/null || ! mountpoint -q "$1"
}

# kill_daemon DIR: as a crash would end it; what is left of the mount goes.
kill_daemon() {
    local pid=${daemon_of[$1]}
    kill -9 "$pid"
    wait "$pid" || true
    unset "daemon_of[$1]"
    umount -l "$1"
}

judge_daemon() {
    local report
    report=$(grep -m 3 -E 'ERROR: (Address|Leak|Thread)Sanitizer|runtime error:' \
        "$T/$(basename "$1").log" || true)
    [[ -z $report ]] || fail "sanitizer: $(mount_log "$1")"
    [[ $2 -eq 0 ]] || fail "the daemon of $1 exited with $2: $(mount_log "$1")"
}

remount() { # SOURCE DIR [OPTIONS]
    unmount "$2"
    mount_indexfs "$@"
}

# In a mount namespace of the test's own. The copies, in here, of other tests' mounts would keep
# those daemons after their unmount, which this namespace may not be told of.
drop_copied_mounts() {
    awk '/ - fuse/ && !/ shared:/ { print $5 }' /proc/self/mountinfo |
        while read -r dir; do umount -l "$dir" || true; done
}

# A small disk at $1 of size $2, to be filled up.
small_disk() {
    mkdir -p "$1"
    mount -t tmpfs -o "size=$2,mode=0700" indexfs-test "$1" || fail "can't mount a tmpfs"
    tmpfs_mounts+=("$1")
}

built_with_sanitizers() {
    grep -qa __asan_init "$INDEXFS"
}
