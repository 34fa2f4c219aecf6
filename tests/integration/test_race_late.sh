#!/bin/bash
# A push that is on its way while somebody else publishes: it comes late, and neither is lost.
. "$(dirname "$0")/lib.sh"
. "$HERE/lib/fixture.sh"

struck() {
    [[ $(curl -sS "http://${host[race]}/_counts" | jq .faults.requests) -eq $1 ]]
}

watches() {
    [[ $(jq .watching "$1/.oci/status") == true ]]
}

tag_platforms() { # of the tag in source
    raw "$source" | jq -r '.manifests[].platform.architecture' | sort | xargs
}

late() { # TAG
    source=${host[race]}/team/app:$1
    mount_indexfs "$source" "$T/a-$1"
    mkdir "$T/a-$1/linux-amd64"
    echo base >"$T/a-$1/linux-amd64/app"
    sync "$T/a-$1"
    mount_indexfs "$source" "$T/b-$1"
    mkdir "$T/a-$1/linux-arm64" "$T/b-$1/linux-s390x"
    echo late >"$T/a-$1/linux-arm64/app"
    echo early >"$T/b-$1/linux-s390x/app"
    fixture_set race clear "fault PUT /manifests/$1 once hold"
    sync "$T/a-$1/linux-arm64/app" &
    syncing=$!
    wait_until 10 struck 1 || fail "the push isn't on its way"
    sync "$T/b-$1/linux-s390x/app"
    fixture_set race clear
    wait "$syncing" || fail "the late sync"
}

start_fixture race

say "where the registry ignores conditions: who was overwritten puts his back"
fixture_set race "quirk no-conditional"
late v1
wait_until 30 eval '! watches "$T/b-v1"' || fail "b still watches"
assert_eq "both" "amd64 arm64 s390x" "$(tag_platforms)"
assert_eq "b has pushed again" 1 "$(jq .repushes "$T/b-v1/.oci/status")"
assert_match "b's log" "overwritten what was published here" "$(mount_log "$T/b-v1")"
assert_eq "b shows both" "early late" "$(cat "$T/b-v1/linux-s390x/app" "$T/b-v1/linux-arm64/app" | xargs)"
wait_until 30 eval '! watches "$T/a-v1"' || fail "a still watches"
assert_eq "a shows both" "early late" "$(cat "$T/a-v1/linux-s390x/app" "$T/a-v1/linux-arm64/app" | xargs)"

say "the same, and b ends right after its sync: the mount stays until it's safe"
late v2
unmount "$T/b-v2"
assert_eq "both" "amd64 arm64 s390x" "$(tag_platforms)"

say "where it keeps to them: the late one is refused, and merges"
fixture_set race reset
late v3
assert_eq "both" "amd64 arm64 s390x" "$(tag_platforms)"
wait_until 30 eval '! watches "$T/b-v3"' || fail "b still watches"
assert_eq "b has nothing to push again" 0 "$(jq .repushes "$T/b-v3/.oci/status")"
assert_eq "a has merged" 1 "$(jq .merges "$T/a-v3/.oci/status")"
for dir in a-v1 b-v1 a-v2 a-v3 b-v3; do unmount "$T/$dir"; done
stop_fixture race
