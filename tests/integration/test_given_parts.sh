#!/bin/bash
# Parts of documents written in .oci: descriptor.json, artifact-type and subject of a platform folder
# and of a tag, by every way of saving; what was there and isn't concerned keeps every byte.
# shellcheck disable=SC2016,SC2034 # the commands are for eval
. "$(dirname "$0")/lib.sh"

vim=$(command -v vim.tiny || command -v vim)

entry() { raw "$source" | jq -c '.manifests[0]'; }
manifest() { raw_at "$source" "$(entry | jq -r .digest)"; }

# saved WAY COMMAND: puts $new in the place of the value in $file.
number=0
saved() {
    number=$((number + 1))
    say "  $1"
    new=application/vnd.example.n$number
    eval "$2" || fail "$1: exit $?"
    assert_eq "read back" "$new" "$(cat "$file")"
    sync "$tag"
    entry >"$T/published"
    assert_eq "in its entry" "$new" "$(jq -r .artifactType "$T/published")"
    assert_eq "published" "$new app" "$(raw_at "$source" "$(jq -r .digest "$T/published")" |
        jq -r '"\(.artifactType) \([.layers[].annotations["org.opencontainers.image.title"]] | join(" "))"')"
}

ways() {
    saved "echo >" 'echo "$new" >"$file"'
    saved "without a newline" 'printf %s "$new" >"$file"'
    saved "in two pieces" 'printf %s "${new:0:20}" >"$file"; printf %s "${new:20}" | dd of="$file" bs=1 seek=20 conv=notrunc status=none'
    saved "cp" 'echo "$new" >"$T/new"; cp "$T/new" "$file"'
    saved "sed -i" 'sed -i "s/n$((number - 1))/n$number/" "$file"'
    saved "perl -i" 'perl -pi -e "s/n$((number - 1))/n$number/" "$file"'
    saved "mv over" 'echo "$new" >"$here/.new"; mv "$here/.new" "$file"'
    saved "mv over, from the folder" 'echo "$new" >"$folder/new"; mv "$folder/new" "$file"'
    saved "vim, in place" '"$vim" -es -u NONE -N -c "set backupcopy=yes" -c "%s/n$((number - 1))/n$number/" -c wq "$file"'
    saved "vim, by renaming" '"$vim" -es -u NONE -N -c "set backupcopy=no writebackup" -c "%s/n$((number - 1))/n$number/" -c wq "$file"'
    saved "as Emacs does" 'mv "$file" "$file~"; echo "$new" >"$file"; rm "$file~"'
}

for store in plain layout; do
    use_store "$store"
    source=$(source_of team/app v1)
    tag=$T/$store-v1
    folder=$tag/linux-amd64
    mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
    mkdir "$folder"
    echo app >"$folder/app"
    sync "$tag"

    say "$store: the modes, and nothing of it is listed"
    assert_eq "modes" "644 644 444 755" \
        "$(stat -c %a "$folder/.oci/descriptor.json" "$folder/.oci/artifact-type" "$folder/.oci/digest" "$folder/.oci" | xargs)"
    assert_eq "listed" "app" "$(ls -A "$folder")"
    cp -r "$tag" "$T/$store-cp"
    rsync -a "$tag/" "$T/$store-rsync"
    assert_eq "copied" "app app" "$(find "$T/$store-cp" "$T/$store-rsync" -type f -printf '%f\n' | xargs)"
    assert_call EPERM open-write "$folder/.oci/status"
    assert_call EPERM unlink "$folder/.oci/digest"
    assert_call EPERM mkdir "$folder/.oci/more"

    say "$store: artifact-type, by every way of saving"
    file=$folder/.oci/artifact-type here=$folder/.oci
    if [[ $store == layout ]]; then ways; else saved "cp" 'echo "$new" >"$T/new"; cp "$T/new" "$file"'; fi

    say "$store: what isn't a media type stays a draft; nothing is committed"
    digest=$(raw "$source" | sha256sum)
    assert_call "close EINVAL" put "$file" "no type"
    assert_eq "the draft" "no type" "$(cat "$file")"
    assert_call EINVAL fsync "$tag"
    assert_match "status" '"linux-amd64/.oci/artifact-type", "message": "line 1, column 1: ..no type.. is not a media type' \
        "$(cat "$tag/.oci/status")"
    assert_eq "the tag" "$digest" "$(raw "$source" | sha256sum)"
    echo application/vnd.example.mended >"$file"
    sync "$tag"
    assert_eq "mended" application/vnd.example.mended "$(manifest | jq -r .artifactType)"

    say "$store: removing it gives the draft up; the manifest must have one, and keeps it"
    digest=$(raw "$source" | sha256sum)
    assert_call "close EINVAL" put "$file" "no type"
    rm "$file"
    sync "$tag"
    wait_until 30 test -e "$file" || fail "$file doesn't come back"
    assert_eq "it shows" application/vnd.example.mended "$(cat "$file")"
    assert_calls <<EOF
ok unlink "$file"
ok create "$file"
EOF
    echo application/vnd.example.mended >"$file"
    sync "$tag"
    assert_eq "the tag" "$digest" "$(raw "$source" | sha256sum)"

    say "$store: descriptor.json: all but mediaType, digest and size"
    file=$folder/.oci/descriptor.json
    jq -c '. + {"annotations": {"a.b": "c"}, "urls": ["https://example.com/x"]}' "$file" |
        sed 's/}$/,"x-more":[1.50]}/' >"$T/entry"
    cp "$T/entry" "$file"
    assert_eq "annotations.json shows it" c "$(jq -r '.["$descriptor"]["a.b"]' "$folder/annotations.json")"
    assert_eq "so does the attribute" c "$(getfattr --only-values -n user.oci.annotation.a.b "$folder")"
    sync "$tag"
    assert_eq "the entry" "$(jq -c . "$T/entry")" "$(raw "$source" | jq -c '.manifests[0]')"
    assert_match "a number keeps its spelling" '1\.50' "$(raw "$source")"
    for change in '.digest = "sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"' \
        '.size = 2' '.mediaType = "application/vnd.oci.image.index.v1+json"' 'del(.digest)' '.platform = {"os": "linux"}'; do
        jq -c "$change" "$T/entry" >"$T/changed"
        assert_fails "$change" "Invalid argument" cp "$T/changed" "$file"
        assert_call EINVAL fsync "$tag"
    done
    cp "$T/entry" "$file"
    sync "$tag"

    say "$store: another platform is another folder"
    mkdir "$tag/linux-arm64"
    echo arm >"$tag/linux-arm64/app"
    sync "$tag"
    jq -c '.platform.architecture = "arm64"' "$T/entry" >"$T/changed"
    assert_fails "taken already" "Invalid argument" cp "$T/changed" "$file"
    jq -c '.platform = {"os": "linux", "architecture": "riscv64"}' "$T/entry" >"$T/changed"
    cp "$T/changed" "$file"
    folder=$tag/linux-riscv64
    wait_until 5 test -e "$folder"
    assert_eq "folders" "linux-arm64 linux-riscv64" "$(ls "$tag" | xargs)"
    assert_eq "its file" app "$(cat "$folder/app")"

    say "$store: subject: a tag, a digest, nothing; looked up when it's closed"
    file=$folder/.oci/subject
    other=$(source_of team/app other)
    mount_indexfs "$other" "$T/other" "$STORE_OPTIONS"
    mkdir "$T/other/linux-amd64"
    echo other >"$T/other/linux-amd64/app"
    sync "$T/other"
    subject=sha256:$(raw "$other" | sha256sum | cut -d' ' -f1)
    unmount "$T/other"
    assert_missing "$file"
    assert_call "close ENOENT" put "$file" missing
    echo other >"$file"
    assert_eq "a tag is its digest" "$subject" "$(cat "$file")"

    say "$store: all of it after kill -9, and published"
    echo application/vnd.example.index >"$tag/.oci/artifact-type"
    echo "$subject" >"$tag/.oci/subject"
    for _ in 1 2; do
        kill_daemon "$tag"
        mount_indexfs "$source" "$tag" "$STORE_OPTIONS"
        assert_eq "folders" "linux-arm64 linux-riscv64" "$(ls "$tag" | xargs)"
        assert_eq "subjects" "$subject $subject" "$(cat "$file" "$tag/.oci/subject" | xargs)"
        assert_eq "artifactType" application/vnd.example.index "$(cat "$tag/.oci/artifact-type")"
        assert_eq "descriptor.json" "$(cat "$T/changed")" "$(jq -c . "$folder/.oci/descriptor.json")"
    done
    sync "$tag"
    assert_eq "the entry's platform" riscv64 "$(raw "$source" | jq -r '.manifests[0].platform.architecture')"
    assert_eq "the manifest's subject" "$subject" "$(manifest | jq -r .subject.digest)"
    assert_eq "the index's" "$subject application/vnd.example.index" "$(raw "$source" | jq -r '"\(.subject.digest) \(.artifactType)"')"
    assert_eq "uncommitted" "[]" "$(jq -c .uncommitted "$tag/.oci/status")"
    if [[ $store == plain ]]; then
        assert_eq "who refers to it, in the tag that stands for the Referrers API" \
            "$({ raw "$source" | sha256sum | sed 's/^/sha256:/'; entry | jq -r .digest; } | cut -d' ' -f1 | sort)" \
            "$(raw "${source%:*}:${subject/:/-}" | jq -r '.manifests[].digest' | sort)"
    fi
    : >"$file"
    rm "$tag/.oci/subject"
    sync "$tag"
    assert_eq "removed" "null null" "$(raw "$source" | jq -c .subject) $(manifest | jq -c .subject)"
    assert_missing "$file"
    agree "$tag" "$source"
    unmount "$tag"

    say "$store: read-only"
    mount_indexfs "$source" "$tag" "ro,$STORE_OPTIONS"
    assert_call EROFS open-write "$folder/.oci/artifact-type"
    assert_call EROFS create "$folder/.oci/subject"
    unmount "$tag"
done
