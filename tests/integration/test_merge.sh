#!/bin/bash
# Takes long: starts first.
# Two mounts change one tag at the same time: what can be kept of both is kept; what can't is ESTALE,
# is told by status, and is settled as the user says.
. "$(dirname "$0")/lib.sh"
. "$HERE/lib/fixture.sh"

status_of() { # DIR FILTER
    jq -c "$2" "$1/.oci/status"
}

# The kernel is told of what others have made a moment after the commit has answered.
assert_shown() { # FILE TEXT
    wait_until 5 shows "$@" || fail "$1 shows $(cat "$1"), not $2"
}

shows() { # FILE TEXT
    [[ $(cat "$1") == "$2" ]]
}

# What is changed here comes before what others publish, or a mount that looks at the tag shows it
# before, and there is no conflict.
merging() { # STORE
    local source a=$T/$1-a b=$T/$1-b STORE_OPTIONS=$STORE_OPTIONS,refresh=off
    source=$(source_of team/app v1)
    mount_indexfs "$source" "$a" "$STORE_OPTIONS"
    mkdir -p "$a/linux-amd64/share"
    echo one >"$a/linux-amd64/one"
    echo two >"$a/linux-amd64/two"
    echo three >"$a/linux-amd64/share/three"
    echo '{"org.example.k": "1", "org.example.l": "1"}' >"$a/annotations.json"
    sync "$a"
    mount_indexfs "$source" "$b" "$STORE_OPTIONS"
    ls -R "$b" >/dev/null

    say "$1: different files of one platform"
    echo dos >"$b/linux-amd64/two"
    echo four >"$b/linux-amd64/four"
    echo uno >"$a/linux-amd64/one"
    echo tres >"$a/linux-amd64/share/three"
    sync "$a"
    sync "$b"
    assert_eq "both" "four uno tres dos" \
        "$(cat "$b/linux-amd64"/{four,one,share/three,two} | xargs)"
    agree "$b" "$source"
    assert_eq "merges" 1 "$(status_of "$b" .merges)"
    echo five >"$a/linux-amd64/five"
    sync "$a"
    agree "$a" "$source"

    say "$1: different keys of the annotations of the index, of an entry, of a manifest, of a layer"
    jq '."org.example.l" = "2"' "$b/annotations.json" >"$T/text"
    cp "$T/text" "$b/annotations.json"
    echo '{"$descriptor": {"d2": "b"}, "$manifest": {"m2": "b"}, "one": {"l2": "b"}}' \
        >"$b/linux-amd64/annotations.json"
    jq '."org.example.k" = "2"' "$a/annotations.json" >"$T/text"
    cp "$T/text" "$a/annotations.json"
    echo '{"$descriptor": {"d1": "a"}, "$manifest": {"m1": "a"}, "one": {"l1": "a"}}' \
        >"$a/linux-amd64/annotations.json"
    sync "$a"
    sync "$b"
    agree "$b" "$source"
    assert_eq "the index's" '{"org.example.k":"2","org.example.l":"2"}' "$(jq -c . "$b/annotations.json")"
    assert_eq "the folder's" \
        '{"$descriptor":{"d1":"a","d2":"b"},"$manifest":{"m1":"a","m2":"b"},"one":{"l1":"a","l2":"b"}}' \
        "$(jq -cS . "$b/linux-amd64/annotations.json")"
    echo again >"$a/linux-amd64/again"
    sync "$a"

    say "$1: the same file changed differently: ESTALE, both digests are told, nothing is lost"
    echo mine >"$b/linux-amd64/one"
    echo beside >"$b/linux-amd64/beside"
    echo theirs >"$a/linux-amd64/one"
    sync "$a"
    raw "$source" >"$T/index"
    assert_call ESTALE fsync "$b"
    assert_eq "conflicts" "[{\"path\":\"linux-amd64/one\",\"ours\":\"$(digest_of "$b/linux-amd64/one")\",\"theirs\":\"$(digest_of "$a/linux-amd64/one")\"}]" \
        "$(status_of "$b" .conflicts)"
    assert_match "the log" "linux-amd64/one was changed here \($(digest_of "$b/linux-amd64/one")\)" "$(mount_log "$b")"
    raw "$source" | cmp - "$T/index" || fail "the tag moved"
    assert_eq "mine" mine "$(cat "$b/linux-amd64/one")"
    assert_eq "theirs" theirs "$(cat "$a/linux-amd64/one")"

    say "$1: it outlives a mount, and another commit tells the same"
    remount "$source" "$b" "$STORE_OPTIONS"
    assert_eq "mine" mine "$(cat "$b/linux-amd64/one")"
    assert_call ESTALE fsync "$b/linux-amd64"

    say "$1: settled as theirs: ours is given up, the rest of ours is published"
    setfattr -n user.oci.settle -v "theirs linux-amd64/one" "$b"
    sync "$b"
    assert_shown "$b/linux-amd64/one" theirs
    assert_eq "beside" beside "$(cat "$b/linux-amd64/beside")"
    assert_eq "conflicts" "[]" "$(status_of "$b" .conflicts)"
    assert_eq "uncommitted" "[]" "$(status_of "$b" .uncommitted)"
    agree "$b" "$source"

    say "$1: and as ours"
    echo b >"$b/linux-amd64/one"
    echo a >"$a/linux-amd64/one"
    sync "$a"
    assert_call ESTALE fsync "$b"
    setfattr -n user.oci.settle -v "ours linux-amd64" "$b"
    sync "$b"
    assert_eq "one" b "$(cat "$b/linux-amd64/one")"
    agree "$b" "$source"
    assert_call EINVAL setxattr "$b" user.oci.settle "mine ."
    assert_call EPERM setxattr "$b/linux-amd64" user.oci.settle "ours ."

    say "$1: a conflict with what others have taken back meanwhile is none any more"
    echo first >"$a/linux-amd64/back"
    sync "$a"
    remount "$source" "$b" "$STORE_OPTIONS"
    echo mine >"$b/linux-amd64/back"
    echo theirs >"$a/linux-amd64/back"
    sync "$a"
    assert_call ESTALE fsync "$b"
    echo first >"$a/linux-amd64/back"
    sync "$a"
    sync "$b"
    assert_eq "back" mine "$(cat "$b/linux-amd64/back")"
    assert_eq "conflicts" "[]" "$(status_of "$b" .conflicts)"
    agree "$b" "$source"

    say "$1: the same annotation changed differently"
    rm "$a/linux-amd64/five"
    sync "$a"
    jq '."org.example.k" = "b"' "$b/annotations.json" >"$T/text"
    cp "$T/text" "$b/annotations.json"
    jq '."org.example.k" = "a"' "$a/annotations.json" >"$T/text"
    cp "$T/text" "$a/annotations.json"
    sync "$a"
    assert_call ESTALE fsync "$b"
    assert_eq "conflicts" '["annotations.json: org.example.k"]' "$(status_of "$b" '[.conflicts[].path]')"
    setfattr -n user.oci.settle -v "ours annotations.json" "$b"
    sync "$b"
    assert_eq "k" b "$(jq -r '."org.example.k"' "$b/annotations.json")"
    agree "$b" "$source"

    say "$1: a folder removed here and changed there"
    rm -r "$b/linux-amd64"
    echo new >"$a/linux-amd64/new"
    sync "$a"
    assert_call ESTALE fsync "$b"
    assert_eq "conflicts" '["linux-amd64"]' "$(status_of "$b" '[.conflicts[].path]')"
    setfattr -n user.oci.settle -v "theirs ." "$b"
    sync "$b"
    assert_shown "$b/linux-amd64/new" new
    agree "$b" "$source"

    say "$1: -o conflict= settles all"
    remount "$source" "$b" "$STORE_OPTIONS,conflict=ours"
    echo b >"$b/linux-amd64/new"
    echo a >"$a/linux-amd64/new"
    sync "$a"
    sync "$b"
    assert_eq "new" b "$(cat "$b/linux-amd64/new")"
    agree "$b" "$source"
    remount "$source" "$b" "$STORE_OPTIONS,conflict=theirs"
    echo b2 >"$b/linux-amd64/new"
    echo a2 >"$a/linux-amd64/new"
    setfattr -n user.oci.settle -v "ours ." "$a"
    sync "$a"
    sync "$b"
    assert_shown "$b/linux-amd64/new" a2
    agree "$b" "$source"
    unmount "$a"
    unmount "$b"
}

use_store plain
merging plain
use_store layout
merging layout
start_fixture cond
STORE=plain STORE_OPTIONS='' host[plain]=${host[cond]}
merging fixture
stop_fixture cond
