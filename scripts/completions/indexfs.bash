# Completion of indexfs for bash.
# shellcheck shell=bash

_indexfs_mounts() {
    awk '{ for (i = 7; i < NF; i++) if ($i == "-" && $(i + 1) == "fuse.indexfs") print $5 }' \
        /proc/self/mountinfo
}

_indexfs_options() {
    indexfs --options 2>/dev/null
}

_indexfs() {
    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]}
    local command=${COMP_WORDS[1]} list
    COMPREPLY=()
    if [[ $before == -o ]]; then
        list=
        [[ $word != *,* ]] || list=${word%,*},
        mapfile -t COMPREPLY < <(compgen -P "$list" -W "$(_indexfs_options)" -- "${word##*,}")
        compopt -o nospace
        return
    fi
    case $COMP_CWORD:$command:$word in
    1:*)
        mapfile -t COMPREPLY < <(compgen -W "mount umount status commit login logout help version oci:" -- "$word")
        ;;
    *:umount:-*) mapfile -t COMPREPLY < <(compgen -W "--commit --help" -- "$word") ;;
    *:status:-*) mapfile -t COMPREPLY < <(compgen -W "--json --watch --help" -- "$word") ;;
    *:commit:-*) mapfile -t COMPREPLY < <(compgen -W "--ours --theirs --help" -- "$word") ;;
    *:login:-*) mapfile -t COMPREPLY < <(compgen -W "-u -o --password-stdin --help" -- "$word") ;;
    *:logout:-*) mapfile -t COMPREPLY < <(compgen -W "-o --help" -- "$word") ;;
    *:-*) mapfile -t COMPREPLY < <(compgen -W "-f -d -o --help" -- "$word") ;;
    *:umount:* | *:unmount:*)
        mapfile -t COMPREPLY < <(compgen -W "$(_indexfs_mounts)" -- "$word")
        compopt -o filenames
        ;;
    *:status:* | *:commit:*)
        mapfile -t COMPREPLY < <(compgen -W "$(_indexfs_mounts)" -- "$word"; compgen -f -- "$word")
        compopt -o filenames
        ;;
    *:login:* | *:logout:*) ;;
    *)
        mapfile -t COMPREPLY < <(compgen -d -- "$word")
        compopt -o filenames
        ;;
    esac
}

complete -F _indexfs indexfs
