#!/bin/bash
# One annotation of one entry of a large index from elsewhere is edited: the new index differs from
# the old in that annotation and in no other byte, and nothing but the index is sent. What it asks
# for doesn't grow with the index; memory is printed.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"

start_fixture big

watches_nothing() {
    [[ $(jq .watching "$tag/.oci/status") == false ]]
}

peak_mib() {
    awk '/^VmHWM/ { print int($2 / 1024) }' "/proc/$(daemon_pid "$tag")/status"
}

since() { # the requests since $mark that aren't HEAD, in short
    fixture_requests big "$mark" | grep -v ^HEAD | sed "s#/v2/team/big/##; s#sha256:[0-9a-f]*#DIGEST#"
}

is_now() { # FILE: that, to the byte, is what the tag names
    curl -sS "http://${host[big]}/v2/team/big/manifests/$name" -H "Accept: application/vnd.oci.image.index.v1+json" \
        >"$T/now"
    cmp "$T/now" "$1" || fail "the index isn't $(basename "$1")"
}

only_the_index_was_sent() {
    assert_eq "what was sent" "PUT manifests/$name 201" "$(since | grep -E "^(PUT|POST|PATCH|DELETE)")"
}

for entries in 1000 10000; do
    name=of-$entries tag=$T/v$entries
    python3 "$HERE/big_index.py" "http://${host[big]}/v2/team/big" "$name" "$entries" "$T"
    folder=$tag/$(cat "$T/name")

    say "$entries entries, $(($(wc -c <"$T/before") / 1024)) KiB: mounting and listing is one document"
    mark=$(fixture_mark big) begun=${EPOCHREALTIME/./}
    mount_indexfs "${host[big]}/team/big:$name" "$tag"
    ls -l "$tag" >"$T/listing"
    echo "mounted and listed in $(((${EPOCHREALTIME/./} - begun) / 1000)) ms"
    assert_eq "entries" "$entries" "$(grep -c '^d' "$T/listing")"
    assert_eq "requests" "GET manifests/$name 200" "$(since)"

    say "one annotation is changed in annotations.json"
    mark=$(fixture_mark big) begun=${EPOCHREALTIME/./}
    # in place: a temporary file beside it, as of sed -i, is a file that was closed, and may go up
    sed 's/"old"/"new"/' "$folder/annotations.json" >"$T/annotations.json"
    cat "$T/annotations.json" >"$folder/annotations.json"
    sync "$tag"
    echo "changed and published in $(((${EPOCHREALTIME/./} - begun) / 1000)) ms, at most $(peak_mib) MiB resident"
    is_now "$T/after"
    only_the_index_was_sent
    assert_eq "documents read" 1 "$(since | grep -c 'GET manifests/DIGEST')"
    assert_eq "blobs asked for" 0 "$(fixture_requests big "$mark" | grep -c /blobs/ || true)"

    say "and back, as an extended attribute, after a kill"
    mark=$(fixture_mark big)
    setfattr -n user.oci.annotation.org.example.changes -v old "$folder"
    kill_daemon "$tag"
    mount_indexfs "${host[big]}/team/big:$name" "$tag"
    sync "$tag"
    is_now "$T/before"
    only_the_index_was_sent

    # A commit beside one whose push is watched has the versions of both.
    say "one that is new, and taken away again"
    wait_until 20 watches_nothing || fail "it still watches"
    mark=$(fixture_mark big)
    setfattr -n user.oci.annotation.org.example.new -v 1 "$folder"
    sync "$tag"
    only_the_index_was_sent
    wait_until 20 watches_nothing || fail "it still watches"
    setfattr -x user.oci.annotation.org.example.new "$folder"
    sync "$tag"
    is_now "$T/before"
    echo "at most $(peak_mib) MiB resident"
    [[ $(peak_mib) -le 128 ]] || built_with_sanitizers || fail "more than 128 MiB"
    unmount "$tag"
done
stop_fixture big
