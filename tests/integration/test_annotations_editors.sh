#!/bin/bash
# annotations.json is saved in every way in which programs save a file: each time the annotations are
# what was saved, and nothing of the way is published.
# shellcheck disable=SC2016,SC2034 # the commands are for eval
. "$(dirname "$0")/lib.sh"

use_store layout
source=$(source_of app v1)
tag=$T/v1
vim=$(command -v vim.tiny || command -v vim)
number=0

in_index() {
    raw "$source" | jq -c "$annotations"
}

layers() {
    jq -c '[.layers[].annotations["org.opencontainers.image.title"]]' "$tag/linux-amd64/.oci/manifest.json"
}

# saved WAY COMMAND: the command gets $new, the text to be saved, and saves it to $file.
saved() {
    number=$((number + 1))
    say "$1"
    new="{\"org.example.n\": \"$number\"}"
    eval "$2" || fail "$1: exit $?"
    assert_eq "read back" "$number" "$(jq -r '.["org.example.n"] // .["$descriptor"]["org.example.n"]' "$file")"
    sync "$tag"
    assert_eq "published" "{\"org.example.n\":\"$number\"}" "$(in_index)"
    assert_eq "layers" '["app"]' "$(layers)"
}

ways() {
    saved "in place, as nano and many others do" 'printf "%s\n" "$new" >"$file"'
    saved "without a newline at the end" 'printf "%s" "$new" >"$file"'
    saved "cat >, from a pipe" 'printf "%s\n" "$new" | cat >"$file"'
    saved "tee" 'printf "%s\n" "$new" | tee "$file" >/dev/null'
    saved "dd over it" 'printf "%-200s\n" "$new" | dd of="$file" conv=notrunc status=none'
    saved "in two pieces, closed between them" 'printf "%s" "${new:0:9}" >"$file" 2>/dev/null || true
        printf "%s" "${new:9}" >>"$file"'
    saved "truncated before, shorter than it was" 'truncate -s 0 "$file" || true; printf "%s" "$new" >"$file"'
    saved "mv over, of an ordinary name" 'printf "%s\n" "$new" >"$here/new.json"; mv "$here/new.json" "$file"'
    saved "mv over, from elsewhere" 'printf "%s\n" "$new" >"$T/new.json"; mv "$T/new.json" "$file"'
    saved "cp over" 'printf "%s\n" "$new" >"$T/new.json"; cp "$T/new.json" "$file"'
    saved "cp --remove-destination" 'cp --remove-destination "$T/new.json" "$file"; printf "%s\n" "$new" >"$file"'
    saved "install" 'printf "%s\n" "$new" >"$T/new.json"; install -m 644 "$T/new.json" "$file"'
    saved "rsync" 'printf "%s\n" "$new" >"$T/annotations.json"; rsync -a --checksum "$T/annotations.json" "$here/"'
    saved "sed -i" 'sed -i "s/\"$((number - 1))\"/\"$number\"/" "$file"'
    saved "sed -i with a backup" 'sed -i~ "s/\"$((number - 1))\"/\"$number\"/" "$file"; rm "$file~"'
    saved "perl -i" 'perl -pi -e "s/\"$((number - 1))\"/\"$number\"/" "$file"'
    saved "vim, in place" '"$vim" -es -u NONE -N -c "set backupcopy=yes" \
        -c "%s/\"$((number - 1))\"/\"$number\"/" -c wq "$file"'
    saved "vim, by renaming" '"$vim" -es -u NONE -N -c "set backupcopy=no writebackup" \
        -c "%s/\"$((number - 1))\"/\"$number\"/" -c wq "$file"'
    saved "vim, with a swap file and a backup that stays" '"$vim" -es -u NONE -N -c "set backup swapfile" \
        -c "%s/\"$((number - 1))\"/\"$number\"/" -c wq "$file"; rm -f "$file~"'
    saved "as Emacs does: the old one becomes the backup" 'mv "$file" "$file~"; printf "%s\n" "$new" >"$file"; rm "$file~"'
    saved "as GIO does" 'printf "%s\n" "$new" >"$here/.goutputstream-ABCDEF"
        mv "$here/.goutputstream-ABCDEF" "$file"'
    saved "as Qt does" 'printf "%s\n" "$new" >"$file.AbCdEf"; mv "$file.AbCdEf" "$file"'
    saved "a file made anew, with its temporary file synced" 'python3 -c "
import os, sys, tempfile
fd, name = tempfile.mkstemp(prefix=\".annotations\", suffix=\".swp\", dir=os.path.dirname(sys.argv[1]))
os.write(fd, sys.argv[2].encode())
os.fsync(fd)
os.close(fd)
os.replace(name, sys.argv[1])" "$file" "$new"'
    saved "through mmap" 'printf "%s%40s" "$new" "" >"$file"; python3 -c "
import mmap, sys
with open(sys.argv[1], \"r+b\") as file:
    with mmap.mmap(file.fileno(), 0) as view:
        at = view.find(b\"\\\"$number\\\"\")
        view[at:at + 1] = view[at:at + 1]
        view.flush()" "$file"'
    saved "removed and made again" 'rm "$file"; printf "%s\n" "$new" >"$file"'
}

# every_way FOLDER JQ: of the annotations.json in FOLDER, whose annotations JQ finds in the index.
every_way() {
    here=$1 file=$1/annotations.json annotations=$2
    ways
    rm "$file"
    sync "$tag"
    assert_eq "removed" null "$(in_index)"
    assert_missing "$file"
}

mount_indexfs "$source" "$tag"
mkdir "$tag/linux-amd64"
echo app >"$tag/linux-amd64/app"
every_way "$tag/linux-amd64" '.manifests[0].annotations'
say "at the top of the tag"
every_way "$tag" '.annotations'
agree "$tag" "$source"
unmount "$tag"
