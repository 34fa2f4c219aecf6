# shellcheck shell=bash
# What another client sees: skopeo checks every digest on its way.

# A source of the mount, HOST/REPO:TAG or oci:PATH:TAG, as skopeo writes it.
skopeo_name() {
    case $1 in
    oci:*) echo "$1" ;;
    *) echo "docker://$1" ;;
    esac
}

# skopeo's options for a source: "" or the prefix "src-" or "dest-" before each.
skopeo_options() { # SOURCE PREFIX
    case $1 in
    oci:*) ;;
    *) if [[ -n ${TLS_HOST-} && $1 == "$TLS_HOST"/* ]]; then
        echo "--${2}cert-dir=$T/certs"
    else
        echo "--${2}tls-verify=false"
    fi ;;
    esac
}

digest_of() { # FILE
    echo "sha256:$(sha256sum <"$1" | cut -d' ' -f1)"
}

# The document that a tag names, byte for byte.
raw() {
    # shellcheck disable=SC2046 # zero or one option
    skopeo inspect --raw $(skopeo_options "$1" "") "$(skopeo_name "$1")"
}

# raw_at SOURCE DIGEST: a document of the same repository by its digest.
raw_at() {
    case $1 in
    oci:*) cat "$(sed 's/^oci://; s/:[^:/]*$//' <<<"$1")/blobs/${2/://}" ;;
    *) raw "${1%:*}@$2" ;;
    esac
}

tag_exists() {
    raw "$1" >/dev/null 2>&1
}

# The digest that a file of a platform folder has where it's published; nothing where it isn't.
published() { # SOURCE FOLDER TITLE
    local entry
    entry=$(raw "$1" 2>/dev/null | jq -r --arg p "$2" \
        '.manifests[] | select(.platform.os + "-" + .platform.architecture == $p) | .digest') || return 0
    [[ -z $entry ]] || raw "${1%:*}@$entry" |
        jq -r --arg t "$3" '.layers[] | select(.annotations["org.opencontainers.image.title"] == $t) | .digest'
}

# pull SOURCE DIR: all that a tag names, through skopeo, which checks every digest. The index itself
# is taken from inspect: skopeo 1.9 drops artifactType from the entries when it copies an index.
pull() {
    rm -rf "$2"
    # shellcheck disable=SC2046
    skopeo copy --quiet --all $(skopeo_options "$1" src-) "$(skopeo_name "$1")" "dir:$2" ||
        fail "skopeo can't pull $1"
    raw "$1" >"$2/manifest.json"
}

# agree DIR SOURCE: what skopeo pulls from SOURCE is what the mount at DIR shows.
agree() {
    local pulled=$T/pulled
    pull "$2" "$pulled"
    cmp "$1/.oci/index.json" "$pulled/manifest.json" || fail "$1/.oci/index.json isn't the index"
    python3 "$HERE/agree.py" "$1" "$pulled" || fail "$1 doesn't show what $2 holds"
}
