# shellcheck shell=bash
# What programs do to files, each done twice: to an ordinary folder and to a mounted one. After
# each, both hold the same, and once committed so does what another client pulls.

# both COMMAND: runs shell text with D set to the ordinary folder, then to the platform folder.
both() {
    local D
    for D in "$ORDINARY" "$MOUNTED"; do
        export D
        bash -euc "$1" || fail "in $D: $1"
    done
}

same_folders() {
    local left right
    diff -r --exclude=annotations.json "$ORDINARY" "$MOUNTED" || fail "$1: the folders differ"
    left=$(cd "$ORDINARY" && find . -type f -perm -u+x | sort)
    right=$(cd "$MOUNTED" && find . -type f -perm -u+x | sort)
    assert_eq "$1: executable files" "$left" "$right"
}

# writer WHAT COMMAND [SYNCED]: SYNCED is what is synced, of the mounted folder (default all of it).
writer() {
    say "$1"
    both "$2"
    same_folders "$1"
    sync "$MOUNTED/${3:-.}" || fail "$1: sync"
    same_folders "$1, after the commit"
    agree "$TAG" "$SOURCE"
}

vim_editor() {
    command -v vim.tiny || command -v vim
}

all_writers() {
    writer "cp" 'cp "$T/app" "$D/app"' app
    writer "install -m 755" 'install -m 755 "$T/app" "$D/tool"' tool
    writer "cp -a of a tree" 'cp -a "$T/tree/." "$D/"'
    writer "cp -a over it again" 'cp -a "$T/tree/." "$D/"'
    writer "tar x" 'tar -C "$D" -xf "$T/tree.tar"'
    writer "rsync -a" 'rsync -a "$T/tree/" "$D/synced/"'
    writer "rsync -a, one file changed" \
        'printf changed >"$T/tree/share/doc/README"; rsync -a --checksum "$T/tree/" "$D/synced/"'
    writer "dd with a seek beyond the end" \
        'dd if="$T/app" of="$D/holes" bs=4096 seek=50 count=3 status=none'
    writer "dd with a seek into the middle" \
        'dd if="$T/app" of="$D/app" bs=1000 seek=7 count=2 conv=notrunc status=none' app
    writer "append" 'printf "one more line\n" >>"$D/share/doc/README"' share/doc/README
    writer "truncate, shorter and longer" 'truncate -s 1000 "$D/app"; truncate -s 9999 "$D/tool"'
    writer "sed -i" 'sed -i s/one/two/ "$D/share/doc/README"' share/doc/README
    writer "mv over" 'cp "$T/other" "$D/next"; mv "$D/next" "$D/app"'
    writer "mv of a folder" 'mv "$D/share" "$D/part"'
    writer "rm and rm -r" 'rm "$D/holes"; rm -r "$D/synced"'
    writer "an empty file" ': >"$D/empty"' empty
    writer "stores through mmap" 'python3 "$HERE/mmap_write.py" "$D/mapped"'
    writer "vim" 'printf "alpha\nbeta\n" >"$D/notes"
        "$EDITOR" -es -u NONE -N -c "%s/beta/gamma/" -c wq "$D/notes"'
    writer "a new file through a rename" 'printf new >"$D/.tmp1"; mv "$D/.tmp1" "$D/renamed"'
    writer "chmod both ways" 'chmod +x "$D/app"; chmod -x "$D/tool"'
}

# writers_on STORE
writers_on() {
    local EDITOR
    use_store "$1"
    EDITOR=$(vim_editor)
    random_file "$T/app" 300000
    random_file "$T/other" 123456
    mkdir -p "$T/tree/share/doc" "$T/tree/bin" "$T/ordinary"
    printf 'read me\n' >"$T/tree/share/doc/README"
    printf '#!/bin/sh\necho hello\n' >"$T/tree/bin/hello"
    chmod 755 "$T/tree/bin/hello"
    tar -C "$T/tree" --transform 's,^\.,unpacked,' -cf "$T/tree.tar" .
    export T HERE EDITOR
    ORDINARY=$T/ordinary TAG=$T/v1 SOURCE=$(source_of team/app v1)
    MOUNTED=$TAG/linux-amd64
    mount_indexfs "$SOURCE" "$TAG" "$STORE_OPTIONS"
    mkdir "$MOUNTED"
    all_writers
    say "a second mount, with nothing cached, shows the same"
    mount_indexfs "$SOURCE" "$T/again" "$STORE_OPTIONS"
    MOUNTED=$T/again/linux-amd64
    same_folders "the second mount"
    agree "$T/again" "$SOURCE"
    say "and so does the first, mounted again"
    unmount "$T/again"
    remount "$SOURCE" "$TAG" "$STORE_OPTIONS"
    MOUNTED=$TAG/linux-amd64
    same_folders "mounted again"
    unmount "$TAG"
}
