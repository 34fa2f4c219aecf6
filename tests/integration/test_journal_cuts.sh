#!/bin/bash
# Takes long: starts first.
# A journal of many kinds of operations that ends anywhere, or is damaged anywhere: the mount comes up,
# shows what the whole records before the end tell, and says what it has left out.
. "$(dirname "$0")/lib.sh"

use_store layout
source=$(source_of app v1)
tag=$T/v1

view() {
    python3 "$HERE/journal_cuts.py" view "$tag"
}

# with JOURNAL: mounts a copy of the state with this journal in it; the view and the log are OUT's.
with() { # JOURNAL OUT
    rm -rf "$T/copy"
    cp -a "$T/kept" "$T/copy"
    cp "$1" "$T/copy/$folder/journal"
    : >"$T/v1.log"
    mount_indexfs "$source" "$tag" "state-dir=$T/copy"
    view >"$2.view" || fail "$1: it can't be looked at"
    remount "$source" "$tag" "state-dir=$T/copy"
    view >"$2.again" || fail "again"
    diff "$2.again" "$2.view" || fail "$1: mounted again, it shows something else"
    unmount "$tag"
    cp "$T/v1.log" "$2.log"
}

mount_indexfs "$source" "$tag"
for name in amd64 arm64 s390x 386; do
    mkdir -p "$tag/linux-$name/d"
    for file in a b d/c d/e; do echo "$name $file" >"$tag/linux-$name/$file"; done
done
assert_call ok fsync "$tag"
python3 "$HERE/journal_cuts.py" make "$tag"
kill_daemon "$tag"
cp -a "$T/state-v1" "$T/kept"
folder=$(basename "$T"/kept/*)
journal=$T/kept/$folder/journal
mkdir "$T/cut" "$T/flip"
python3 "$HERE/journal_cuts.py" cut "$journal" "$T/cut"
python3 "$HERE/journal_cuts.py" flip "$journal" "$T/flip"

say "cut off after each of $(ls "$T/cut" | grep -c whole) records, and within the next: the same is shown, and told"
for whole in "$T"/cut/*.whole; do
    cut=${whole%.whole}.cut
    with "$whole" "$whole"
    with "$cut" "$cut"
    cmp "$whole.view" "$cut.view" || fail "$cut: another view than without the rest"
    assert_eq "$whole: told" 0 "$(grep -c "in the middle of a record" "$whole.log" || true)"
    assert_eq "$cut: told" 1 "$(grep -c "its last $(($(stat -c %s "$cut") - $(stat -c %s "$whole"))) bytes" "$cut.log")"
done

say "a bit that is wrong in each of them, or in the header: it's told, and the journal kept"
last=$(ls "$T"/flip/*[0-9].flip | tail -n 1)
for flip in "$T"/flip/*.flip; do
    with "$flip" "$flip"
    if [[ $flip == "$last" ]]; then
        assert_match "$flip" "in the middle of a record" "$(cat "$flip.log")"
    else
        assert_match "$flip" "the journal is damaged" "$(cat "$flip.log")"
        assert_exists "$T/copy/$folder/journal.damaged"
    fi
done
mount_indexfs "$source" "$tag" "state-dir=$T/copy"
rm "$tag"/linux-*/.z.swp
assert_call ok fsync "$tag"
agree "$tag" "$source"
unmount "$tag"
