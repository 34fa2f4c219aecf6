#!/bin/bash
# Blobs go up from the moment that their file is closed: a sync sends what is left, what is written
# anew or removed isn't sent, and nothing waits for what hangs.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"

start_fixture up
source=${host[up]}/team/app:v1
tag=$T/v1
folder=$tag/linux-amd64

state() {
    getfattr --only-values --absolute-names -n user.oci.state "$1"
}

is_state() { # FILE STATE
    [[ $(state "$1") == "$2" ]]
}

wait_state() {
    wait_until 60 is_state "$@" || fail "$1 isn't $2: $(cat "$tag/.oci/status")"
}

# N uploads in the status of the mount are in STATE.
are_uploads() { # N STATE
    [[ $(jq --arg state "$2" '[.uploads[] | select(.state == $state)] | length' "$tag/.oci/status") == "$1" ]]
}

wait_uploads() {
    wait_until 60 are_uploads "$@" || fail "not $1 uploads are $2: $(cat "$tag/.oci/status")"
}

are_running() { # N
    [[ $(fixture_count up "PUT uploads" running) == "$1" ]]
}

wait_running() {
    wait_until 30 are_running "$1" || fail "not $1 bodies are under way: $(cat "$tag/.oci/status")"
}

# How often the body of a file was sent to the end since MARK.
bodies_of() { # FILE MARK
    fixture_log up "$2" | grep -cE "^[0-9]+ PUT [^ ]*digest=$(digest_of "$1") 201 " || true
}

assert_not_there() { # WHAT FILE
    assert_eq "$1" 404 "$(curl -sS -o /dev/null -w '%{http_code}' -I \
        "http://${host[up]}/v2/team/app/blobs/$(digest_of "$2")")"
}

say "what was closed goes up before a sync, and the sync sends no blob"
random_file "$T/one" 300000
random_file "$T/two" 200000
mount_indexfs "$source" "$tag"
mkdir "$folder"
cp "$T/one" "$folder/one"
wait_state "$folder/one" uploaded
assert_eq "status" '{"path":"linux-amd64/one","state":"uploaded","sent":300000,"size":300000,"tries":1}' \
    "$(jq -c '.uploads[]' "$tag/.oci/status")"
sync "$tag" # with the empty config
cp "$T/two" "$folder/two"
wait_state "$folder/two" uploaded
before=$(fixture_count up "PUT uploads" in)
mark=$(fixture_mark up)
sync "$folder/two"
assert_eq "blob bytes of the sync" "$before" "$(fixture_count up "PUT uploads" in)"
assert_eq "requests of the sync about blobs" "HEAD /v2/team/app/blobs/$(digest_of "$T/two") 200" \
    "$(fixture_requests up "$mark" | grep /blobs/)"
assert_eq "status" '[]' "$(jq -c .uploads "$tag/.oci/status")"
assert_eq "state" cached "$(state "$folder/two")"
agree "$tag" "$source"

say "a sync during an upload waits for it: the body goes once"
random_file "$T/three" 400000
fixture_set up "fault PUT /blobs/uploads/ once stall=3"
mark=$(fixture_mark up)
cp "$T/three" "$folder/three"
wait_state "$folder/three" uploading
sync "$tag"
assert_eq "bodies" 1 "$(bodies_of "$T/three" "$mark")"
assert_eq "sessions" 1 "$(fixture_requests up "$mark" | grep -c '^POST ')"
agree "$tag" "$source"

say "blobs come before manifests, and these before the tag"
random_file "$T/four" 100000
mark=$(fixture_mark up)
mkdir "$tag/linux-arm64"
cp "$T/four" "$tag/linux-arm64/four"
cp "$T/four" "$folder/four"
sync "$tag"
assert_eq "the order" "blobs manifests tag" "$(fixture_requests up "$mark" |
    sed -nE 's/^PUT .*uploads.*/blobs/p; s/^PUT .*sha256.*/manifests/p; s/^PUT .*v1 .*/tag/p' | uniq | xargs)"
assert_eq "bodies of a blob that two files have" 1 "$(bodies_of "$T/four" "$mark")"

say "overwritten during its upload: the tag has the new bytes, and the old are nowhere"
# small enough that the server hears of the end while it reads nothing
random_file "$T/old" 20000
random_file "$T/new" 150000
fixture_set up "fault PUT /blobs/uploads/ once stall"
cp "$T/old" "$folder/one"
wait_running 1
cp "$T/new" "$folder/one"
wait_running 0
wait_state "$folder/one" uploaded
sync "$tag"
agree "$tag" "$source"
assert_same "$T/new" "$folder/one"
assert_not_there "the old bytes" "$T/old"

say "appended to during its upload"
random_file "$T/more" 25000
fixture_set up "fault PUT /blobs/uploads/ once stall"
cp "$T/more" "$folder/two"
wait_running 1
printf 'and more' >>"$folder/two"
cp "$T/more" "$T/longer"
printf 'and more' >>"$T/longer"
sync "$tag"
agree "$tag" "$source"
assert_same "$T/longer" "$folder/two"
assert_not_there "the bytes without the last" "$T/more"

say "removed during its upload, as a file and with its folder"
random_file "$T/gone" 30000
for victim in linux-amd64/gone windows-amd64/gone; do
    fixture_set up "fault PUT /blobs/uploads/ once stall"
    mkdir -p "$tag/$(dirname "$victim")"
    cp "$T/gone" "$tag/$victim"
    wait_running 1
    if [[ $victim == linux-* ]]; then rm "$tag/$victim"; else rm -r "${tag:?}/$(dirname "$victim")"; fi
    wait_running 0
    assert_eq "uploads" '[]' "$(jq -c .uploads "$tag/.oci/status")"
    sync "$tag"
    assert_not_there "the removed file" "$T/gone"
done
agree "$tag" "$source"

say "what is renamed from a scratch name goes up, scratch files don't"
random_file "$T/part" 123456
cp "$T/part" "$folder/part.part"
assert_eq "its state" staged "$(state "$folder/part.part")"
mv "$folder/part.part" "$folder/part"
wait_state "$folder/part" uploaded
sync "$tag"
unmount "$tag"
rm -rf "$T/cache-v1"

say "a sync beside an upload that hangs ends at a signal; the next one waits until that is given up and sent anew"
mount_indexfs "$source" "$tag" timeout=5
random_file "$T/hangs" 70000
mark=$(fixture_mark up)
fixture_set up reset "fault PUT /blobs/uploads/ once stall"
cp "$T/hangs" "$folder/hangs"
wait_running 1
assert_call EINTR fsync-for 0.5 "$tag"
assert_call EINTR fsync-for 0.5 "$tag"
assert_call ok fsync "$tag"
agree "$tag" "$source"
assert_eq "bodies that arrived" 1 "$(bodies_of "$T/hangs" "$mark")"
assert_eq "sent anew" 1 "$(mount_log "$tag" | grep -c "again: .*stalled")"
unmount "$tag"
rm -rf "$T/cache-v1"

say "16 files: 8 bodies at a time; while they hang, everything else answers"
mount_indexfs "$source" "$tag"
fixture_set up reset "fault PUT /blobs/uploads/ always stall"
mkdir "$tag/linux-riscv64"
for i in $(seq 16); do
    random_file "$tag/linux-riscv64/file$i" $((10000 + i))
done
wait_running 8
are_uploads 8 uploading || fail "$(cat "$tag/.oci/status")"
are_uploads 8 staged || fail "$(cat "$tag/.oci/status")"
# a folder that nobody has listed yet, a blob that isn't here, and what needs no registry
timeout 20 ls -l "$folder" >/dev/null || fail "ls"
timeout 20 cat "$folder/part" >/dev/null || fail "cat"
timeout 20 stat "$tag/linux-riscv64/file3" >/dev/null || fail "stat"
timeout 20 df "$tag" >/dev/null || fail "df"
random_file "$T/five" 1000
timeout 20 cp "$T/five" "$folder/five" || fail "cp"
are_running 8 || fail "the uploads didn't hang"

say "an unmount waits for no upload; the next mount goes on with them"
unmount "$tag"
fixture_set up reset
mount_indexfs "$source" "$tag"
wait_uploads 17 uploaded
assert_eq "bodies at a time" 8 "$(fixture_count up "PUT uploads" most)"
sync "$tag"
agree "$tag" "$source"
unmount "$tag"

say "a store on this machine is given nothing before the sync"
mount_indexfs "oci:$T/layout:v1" "$T/local"
mkdir "$T/local/linux-amd64"
cp "$T/one" "$T/local/linux-amd64/one"
assert_eq "state" staged "$(state "$T/local/linux-amd64/one")"
cp "$T/two" "$T/local/linux-amd64/one"
sync "$T/local"
assert_missing "$T/layout/blobs/sha256/$(sha256sum <"$T/one" | cut -d' ' -f1)"
unmount "$T/local"
