#!/bin/bash
# A document in .oci that is removed, or moved away: it is there again, as it was, unless a program
# makes another; what is removed with it is said by the manual.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/images.sh
. "$HERE/lib/images.sh"

use_store plain
make_tars
source=$(source_of team/app v1)
tag=$T/v1
folder=$tag/linux-amd64
log=${access_log[plain]}

mount_indexfs "$source" "$tag" config=image
mkdir "$folder"
cp "$T/base.tar" "$folder/"
sync "$tag"
documents=(.oci/index.json linux-amd64/.oci/manifest.json linux-amd64/.oci/config.json linux-amd64/.oci/descriptor.json)
raw "$source" >"$T/published"

# comes_back FILE COPY: without a commit
comes_back() {
    wait_until 30 test -e "$1" || fail "$1 doesn't come back"
    assert_same "$2" "$1"
}

for way in rm mv; do
    say "$way: it is there again, and nothing was changed"
    for name in "${documents[@]}"; do
        cp "$tag/$name" "$T/copy-${name##*/}"
        if [[ $way == rm ]]; then rm "$tag/$name"; else mv "$tag/$name" "$T/moved"; fi
    done
    for name in "${documents[@]}"; do
        comes_back "$tag/$name" "$T/copy-${name##*/}"
    done
    mark=$(log_mark "$log")
    sync "$tag"
    assert_no_request "$log" "$mark" '^(PUT|POST|PATCH)'
    raw "$source" | cmp - "$T/published" || fail "the tag"
done

say "after a kill as well"
rm "$folder/.oci/manifest.json"
kill_daemon "$tag"
mount_indexfs "$source" "$tag" config=image
assert_exists "$folder/.oci/manifest.json"

say "a program that removes it and makes another, where there must be none"
cp "$folder/.oci/manifest.json" "$T/copy"
python3 - "$folder/.oci/manifest.json" <<'P'
import os, sys
text = open(sys.argv[1]).read()
os.unlink(sys.argv[1])
fd = os.open(sys.argv[1], os.O_WRONLY | os.O_CREAT | os.O_EXCL)
os.write(fd, text.replace('"layers"', ' "layers"').encode())
os.close(fd)
P
sed 's/"layers"/ "layers"/' "$T/copy" | cmp - "$folder/.oci/manifest.json"

say "what was given stays when its file goes"
cp "$folder/.oci/manifest.json" "$T/given"
rm "$folder/.oci/manifest.json"
comes_back "$folder/.oci/manifest.json" "$T/given"
sync "$tag"
assert_eq "published" "$(digest_of "$T/given")" "$(image_digest "$source" amd64)"

say "a config.json that isn't committed goes with its file, and the manifest names the one before"
config=$folder/.oci/config.json
cp "$config" "$T/before"
for text in '.author = "by hand"' '.os = 1'; do
    jq -c '.author = "by sed"' "$T/before" >"$config"
    jq -c "$text" "$T/before" >"$T/written"
    cp "$T/written" "$config" || [[ $text == '.os = 1' ]]
    rm "$config"
    comes_back "$config" "$T/before"
    assert_same "$T/given" "$folder/.oci/manifest.json"
done
jq -c '.author = "by hand"' "$T/before" >"$config"
rm "$config"
for _ in 1 2; do
    kill_daemon "$tag"
    mount_indexfs "$source" "$tag" config=image
    assert_same "$T/before" "$config"
done
mark=$(log_mark "$log")
sync "$tag"
assert_no_request "$log" "$mark" '^PUT .*/manifests/'
assert_eq "published" "$(digest_of "$T/given")" "$(image_digest "$source" amd64)"
jq -c '.author = "by hand"' "$T/before" >"$T/written"
cp "$T/written" "$config"
sync "$tag"
assert_eq "published" "by hand" "$(image_config "$source" amd64 | jq -r .author)"

say "so it does when that is moved away, in .oci or to another folder's; and it is back when that is"
mkdir "$tag/linux-arm64"
cp "$T/base.tar" "$tag/linux-arm64/"
sync "$tag"
cp "$config" "$T/before"
jq -c '.author = "moved"' "$T/before" >"$T/written"
other=$tag/linux-arm64/.oci/config.json
for to in "$config~" "$other"; do
    cp "$T/written" "$config"
    mv "$config" "$to"
    comes_back "$config" "$T/before"
    for _ in 1 2; do
        kill_daemon "$tag"
        mount_indexfs "$source" "$tag" config=image
        assert_same "$T/before" "$config"
        assert_same "$T/written" "$to"
    done
    sync "$tag"
    assert_eq "published" "by hand" "$(image_config "$source" amd64 | jq -r .author)"
done
assert_eq "published" moved "$(image_config "$source" arm64 | jq -r .author)"
mv "$config~" "$config"
sync "$tag"
assert_eq "published" moved "$(image_config "$source" amd64 | jq -r .author)"

say "an editor that moves it away to save it again, while a commit publishes what it saved before"
jq -c '.author = "first"' "$T/before" >"$T/written"
cp "$T/written" "$config"
kill -STOP "${registry_pid[plain]}"
"$INDEXFS" commit "$tag" >/dev/null &
# shellcheck disable=SC2317 # called by name
commits() { [[ $(jq .committing "$tag/.oci/status") == true ]]; }
wait_until 10 commits || fail "it doesn't commit"
jq -c '.author = "second"' "$T/before" >"$T/written"
mv "$config" "$config~"
cp "$T/written" "$config"
rm "$config~"
kill -CONT "${registry_pid[plain]}"
wait $!
assert_match "published" '^(first|second)$' "$(image_config "$source" amd64 | jq -r .author)"
assert_same "$T/written" "$config"
sync "$tag"
assert_eq "published" second "$(image_config "$source" amd64 | jq -r .author)"

say "a manifest that names it stays as it was written, until the config is written again"
cp "$folder/.oci/manifest.json" "$T/before"
jq -c '.author = "a third"' "$config" >"$T/written"
jq --arg d "$(digest_of "$T/written")" --argjson s "$(stat -c %s "$T/written")" \
    '.config |= (.digest = $d | .size = $s)' "$T/before" >"$T/given"
cp "$T/given" "$folder/.oci/manifest.json"
cp "$T/written" "$config"
rm "$config"
assert_same "$T/given" "$folder/.oci/manifest.json"
assert_call EINVAL fsync "$tag"
assert_match "why" "config: the repository has no blob $(digest_of "$T/written")" "$(cat "$tag/.oci/status")"
cp "$T/written" "$config"
sync "$tag"
assert_eq "published" "$(digest_of "$T/given")" "$(image_digest "$source" amd64)"
agree "$tag" "$source"
unmount "$tag"
