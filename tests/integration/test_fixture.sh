#!/bin/bash
# Takes long: starts first.
# The registry of the tests and the relay: what other tests rely on, against skopeo, curl, and a
# mount.
. "$(dirname "$0")/lib.sh"
# shellcheck source=lib/fixture.sh
. "$HERE/lib/fixture.sh"

EMPTY=sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a
MANIFEST_TYPE=application/vnd.oci.image.manifest.v1+json
URL=

# http EXPECTED-STATUS METHOD PATH [CURL-OPTION...]: the answer's body is in $T/body, its headers
# in $T/headers.
http() {
    local expected=$1 method=$2 path=$3 got
    shift 3
    [[ $method == HEAD ]] && set -- --head "$@"
    [[ $path == *://* ]] || path=$URL$path
    rm -f "$T/body"
    got=$(curl -sS -X "$method" -o "$T/body" -D "$T/headers" -w '%{http_code}' "$@" "$path" 2>"$T/curl") || true
    [[ $got == "$expected" ]] ||
        fail "$method $path $*: expected $expected, got $got: $(body | tr -cd "[:print:]" | cut -c -300)$(cat "$T/curl")"
}

header() { # NAME
    sed -n "s/^$1: \(.*\)\r$/\1/Ip" "$T/headers" | tail -n 1
}

body() {
    [[ ! -f $T/body ]] || cat "$T/body"
}

part() { # OFFSET BYTES of the blob
    dd if="$T/blob" iflag=skip_bytes,count_bytes skip="$1" count="$2" status=none
}

put_blob() { # REPOSITORY FILE
    http 202 POST "/v2/$1/blobs/uploads/"
    http 201 PUT "$(header Location)&digest=$(digest_of "$2")" --data-binary "@$2"
}

put_manifest() { # REPOSITORY TAG TEXT [STATUS] [CURL-OPTION...]
    local repository=$1 tag=$2 status=${4:-201}
    printf '%s' "$3" >"$T/manifest"
    shift $(($# > 4 ? 4 : $#))
    http "$status" PUT "/v2/$repository/manifests/$tag" -H "Content-Type: $MANIFEST_TYPE" \
        --data-binary "@$T/manifest" "$@"
}

manifest_text() { # [MORE-MEMBERS]
    echo "{\"schemaVersion\":2,\"mediaType\":\"$MANIFEST_TYPE\",\"config\":{\"mediaType\":\"application/vnd.oci.empty.v1+json\",\"digest\":\"$EMPTY\",\"size\":2},\"layers\":[]${1-}}"
}

# curl's exit status: 18 a part, 28 time limit, 52 no answer, 56 reset.
breaks() { # STATUS PATH [CURL-OPTION...]
    local status=0 expected=$1 path=$2
    shift 2
    curl -sS -o "$T/body" --max-time 1 "$@" "$URL$path" 2>"$T/curl" || status=$?
    assert_match "curl $path $* ($(cat "$T/curl"))" "^($expected)$" "$status"
}

start_fixture one
URL=http://${host[one]}
random_file "$T/blob" 100000
blob=$(digest_of "$T/blob")
printf '{}' >"$T/empty"

say "skopeo: an index of two platforms in and out, byte for byte"
make_image "$T/layout" amd64 amd64 "$T/blob"
make_image "$T/layout" arm64 arm64 "$T/blob"
make_index "$T/layout" multi
push "$T/layout:multi" "${host[one]}/skopeo/app:v1"
pull "${host[one]}/skopeo/app:v1" "$T/pulled"
assert_same "$T/layout.index" "$T/pulled/manifest.json"
push "$T/layout:amd64" "${host[one]}/skopeo/app:v2"
list_tags() {
    skopeo list-tags --tls-verify=false "docker://${host[one]}/skopeo/app" | jq -c .Tags
}
assert_eq "list-tags" '["v1","v2"]' "$(list_tags)"
skopeo delete --tls-verify=false "docker://${host[one]}/skopeo/app:v1"
assert_eq "list-tags after the delete" '["v2"]' "$(list_tags)"
tag_exists "${host[one]}/skopeo/app:v2" || fail "v2 went with v1"
skopeo copy --quiet --src-tls-verify=false --dest-tls-verify=false --format v2s2 \
    "docker://${host[one]}/skopeo/app:v2" "docker://${host[one]}/skopeo/other:v2"

say "blobs: whole, in ranges, conditional, deleted"
put_blob a/b "$T/blob"
assert_eq "Docker-Content-Digest" "$blob" "$(header Docker-Content-Digest)"
http 200 GET "/v2/a/b/blobs/$blob"
assert_same "$T/blob" "$T/body"
etag=$(header ETag)
http 200 HEAD "/v2/a/b/blobs/$blob"
assert_eq "length" 100000 "$(header Content-Length)"
http 206 GET "/v2/a/b/blobs/$blob" -H "Range: bytes=10-19"
assert_eq "Content-Range" "bytes 10-19/100000" "$(header Content-Range)"
cmp "$T/body" <(part 10 10)
http 206 GET "/v2/a/b/blobs/$blob" -H "Range: bytes=99990-"
cmp "$T/body" <(part 99990 10)
http 206 GET "/v2/a/b/blobs/$blob" -H "Range: bytes=-10" -H "If-Range: $etag"
cmp "$T/body" <(part 99990 10)
http 200 GET "/v2/a/b/blobs/$blob" -H "Range: bytes=-10" -H 'If-Range: "another"'
http 416 GET "/v2/a/b/blobs/$blob" -H "Range: bytes=100000-"
http 304 GET "/v2/a/b/blobs/$blob" -H "If-None-Match: $etag"
http 404 GET "/v2/c/blobs/$blob"
http 202 DELETE "/v2/a/b/blobs/$blob"
http 404 HEAD "/v2/a/b/blobs/$blob"
http 404 DELETE "/v2/a/b/blobs/$blob"

say "uploads: in one POST, in chunks, asked how far, given up"
http 201 POST "/v2/a/b/blobs/uploads/?digest=$blob" --data-binary "@$T/blob"
http 400 POST "/v2/a/b/blobs/uploads/?digest=$EMPTY" --data-binary "@$T/blob"
assert_match "the error" DIGEST_INVALID "$(body)"
http 202 POST "/v2/chunks/blobs/uploads/"
first=$(header Location)
http 202 PATCH "$first" --data-binary "@-" -H "Content-Range: 0-59999" < <(part 0 60000)
assert_eq "Range" "0-59999" "$(header Range)"
second=$(header Location)
http 416 PATCH "$first" --data-binary x -H "Content-Range: 60000-60000"
http 416 PATCH "$second" --data-binary x -H "Content-Range: 70000-70000"
http 204 GET "$first"
assert_eq "Range of the status" "0-59999" "$(header Range)"
http 201 PUT "$(header Location)&digest=$blob" --data-binary "@-" \
    -H "Content-Range: 60000-99999" < <(part 60000 40000)
http 200 GET "/v2/chunks/blobs/$blob"
assert_same "$T/blob" "$T/body"
http 404 GET "$second"
http 202 POST "/v2/chunks/blobs/uploads/"
http 204 DELETE "$(header Location)"
http 404 GET "$(header Location)"
http 202 POST "/v2/chunks/blobs/uploads/"
http 400 PUT "$(header Location)&digest=$blob" --data-binary x
sha512=sha512:$(sha512sum <"$T/blob" | cut -d' ' -f1)
http 201 POST "/v2/chunks/blobs/uploads/?digest=$sha512" --data-binary "@$T/blob"
http 200 HEAD "/v2/chunks/blobs/$sha512"

say "mounts: from a repository that has it, else an upload"
http 201 POST "/v2/mounted/blobs/uploads/?mount=$blob&from=a/b"
http 200 HEAD "/v2/mounted/blobs/$blob"
http 202 POST "/v2/mounted/blobs/uploads/?mount=$EMPTY&from=a/b"
http 202 POST "/v2/mounted/blobs/uploads/?mount=$blob"

say "manifests: checked, conditional, deleted"
manifest=$(manifest_text)
put_manifest m v1 "$manifest" 400
assert_match "the error" MANIFEST_BLOB_UNKNOWN "$(body)"
put_blob m "$T/empty"
put_manifest m v1 "$manifest"
printf '%s' "$manifest" >"$T/manifest"
digest=$(digest_of "$T/manifest")
assert_eq "digest" "$digest" "$(header Docker-Content-Digest)"
put_manifest m "$blob" "$manifest" 400
put_manifest m v1 "${manifest%\}}" 400
assert_match "the error" MANIFEST_INVALID "$(body)"
other=$(manifest_text ',"annotations":{"a":"b"}')
put_manifest m v1 "$other" 412 -H "If-None-Match: *"
put_manifest m v1 "$other" 412 -H "If-Match: \"$blob\""
put_manifest m v1 "$other" 201 -H "If-Match: \"$digest\""
put_manifest m v2 "$other" 201 -H "If-None-Match: *"
http 200 GET "/v2/m/manifests/v1"
assert_eq "the manifest" "$other" "$(body)"
assert_eq "its type" "$MANIFEST_TYPE" "$(header Content-Type)"
http 304 HEAD "/v2/m/manifests/v1" -H "If-None-Match: $(header ETag)"
http 200 HEAD "/v2/m/manifests/$digest"
head -c 5000000 /dev/zero >"$T/large"
http 413 PUT "/v2/m/manifests/large" -H "Content-Type: $MANIFEST_TYPE" --data-binary "@$T/large"
http 202 DELETE "/v2/m/manifests/v2"
http 200 HEAD "/v2/m/manifests/v1"
http 202 DELETE "/v2/m/manifests/$(digest_of <(printf '%s' "$other"))"
http 404 HEAD "/v2/m/manifests/v1"

say "referrers: by subject, by type, page by page"
put_manifest m v1 "$manifest"
subject=",\"subject\":{\"mediaType\":\"$MANIFEST_TYPE\",\"digest\":\"$digest\",\"size\":${#manifest}}"
referrers=0
for type in one two two; do
    put_manifest m "r$((++referrers))" \
        "$(manifest_text "$subject,\"artifactType\":\"application/$type\",\"annotations\":{\"n\":\"$referrers\"}")"
    assert_eq "OCI-Subject" "$digest" "$(header OCI-Subject)"
done
http 200 GET "/v2/m/referrers/$digest"
assert_eq "types" '["application/one","application/two","application/two"]' \
    "$(jq -c '[.manifests[].artifactType] | sort' "$T/body")"
assert_eq "annotations" '["1","2","3"]' "$(jq -c '[.manifests[].annotations.n] | sort' "$T/body")"
http 200 GET "/v2/m/referrers/$digest?artifactType=application/two"
assert_eq "filtered" 2 "$(jq '.manifests | length' "$T/body")"
assert_eq "OCI-Filters-Applied" artifactType "$(header OCI-Filters-Applied)"
http 200 GET "/v2/m/referrers/$blob"
assert_eq "none" '[]' "$(jq -c .manifests "$T/body")"

follow() { # PATH JQ: all pages, joined
    local next=$1 pages=0
    while [[ -n $next ]]; do
        http 200 GET "$next"
        jq -r "$2" "$T/body"
        next=$(header Link | sed -n 's/^<\(.*\)>; rel="next"$/\1/p')
        [[ $((++pages)) -lt 20 ]] || fail "endless pages"
    done
}
fixture_set one "quirk page=2"
assert_eq "referrers" 3 "$(follow "/v2/m/referrers/$digest" '.manifests[].digest' | sort -u | wc -l)"
for style in relative absolute opaque; do
    fixture_set one "quirk link=$style"
    assert_eq "tags, $style links" "r1 r2 r3 v1" "$(follow /v2/m/tags/list '.tags[]' | xargs)"
done
fixture_set one reset
assert_eq "tags, n=1" "r1 r2 r3 v1" "$(follow "/v2/m/tags/list?n=1" '.tags[]' | xargs)"
http 200 GET "/v2/m/tags/list?last=r2"
assert_eq "tags after r2" '["r3","v1"]' "$(jq -c .tags "$T/body")"
http 404 GET "/v2/nobody/tags/list"
assert_eq "catalogue" "m skopeo/app skopeo/other" "$(follow "/v2/_catalog?n=2" '.repositories[]' | xargs)"

say "quirks"
quirk() {
    fixture_set one reset "quirk $1"
}
quirk no-ranges
http 200 GET "/v2/a/b/blobs/$blob" -H "Range: bytes=1-2"
quirk wrong-content-range
http 206 GET "/v2/a/b/blobs/$blob" -H "Range: bytes=1-2"
assert_eq "Content-Range" "bytes 2-3/100000" "$(header Content-Range)"
quirk no-digest-header
http 200 HEAD "/v2/a/b/blobs/$blob"
assert_eq "digest header" "" "$(header Docker-Content-Digest)"
quirk wrong-digest-header
http 200 HEAD "/v2/a/b/blobs/$blob"
assert_match "digest header" "^sha256:0{64}$" "$(header Docker-Content-Digest)"
quirk no-etag
http 200 HEAD "/v2/a/b/blobs/$blob"
assert_eq "ETag" "" "$(header ETag)"
quirk redirect-blobs=60
http 307 GET "/v2/a/b/blobs/$blob"
signed=$(header Location)
http 200 GET "$signed"
assert_same "$T/blob" "$T/body"
http 206 GET "$signed" -H "Range: bytes=1-2"
http 400 GET "$signed" -H "Authorization: Bearer x"
fixture_set one "quirk head-forbidden"
http 403 HEAD "$signed"
quirk redirect-blobs=-1
http 307 GET "/v2/a/b/blobs/$blob"
http 403 GET "$(header Location)"
chunk() { # STATUS BYTES
    http 202 POST "/v2/q/blobs/uploads/"
    http "$1" PATCH "$(header Location)" --data-binary "@-" < <(part 0 "$2")
}
quirk body-max=1K
http 202 POST "/v2/q/blobs/uploads/"
http 413 PUT "$(header Location)&digest=$blob" --data-binary "@-" < <(part 0 1025)
chunk 413 1025
chunk 202 1024
quirk chunk-max=1K
chunk 202 1024
chunk 416 1025
quirk chunk-min=1K
chunk 202 1000
assert_eq "OCI-Chunk-Min-Length" 1024 "$(header OCI-Chunk-Min-Length)"
http 416 PATCH "$(header Location)" --data-binary x
quirk chunk-status=201
chunk 201 10
quirk range-stuck
chunk 202 10
http 202 PATCH "$(header Location)" --data-binary 0123456789
assert_eq "Range" "0-9" "$(header Range)"
quirk no-empty-put
chunk 202 10
http 500 PUT "$(header Location)&digest=$blob"
quirk no-chunks
chunk 405 10
quirk relative-location
http 202 POST "/v2/q/blobs/uploads/"
assert_match "Location" "^/v2/q/blobs/uploads/" "$(header Location)"
quirk no-mount
http 202 POST "/v2/q/blobs/uploads/?mount=$blob&from=a/b"
quirk no-single-post
http 202 POST "/v2/q/blobs/uploads/?digest=$blob" --data-binary "@$T/blob"
quirk quota=1000
http 403 POST "/v2/q/blobs/uploads/?digest=$blob" --data-binary "@$T/blob"
assert_match "the error" "DENIED.*quota" "$(body)"
quirk immutable-tags
put_manifest m v1 "$manifest"
put_manifest m v1 "$other" 400
assert_match "the error" immutable "$(body)"
fixture_set one "quirk immutable-tags=all"
put_manifest m v1 "$manifest" 400
quirk no-conditional
put_manifest m v1 "$manifest" 201 -H "If-None-Match: *"
quirk no-referrers
http 404 GET "/v2/m/referrers/$digest"
put_manifest m r1 "$(manifest_text "$subject")"
assert_eq "OCI-Subject" "" "$(header OCI-Subject)"
quirk lies-subject
put_manifest m r1 "$(manifest_text "$subject")"
assert_eq "OCI-Subject" "$digest" "$(header OCI-Subject)"
http 404 GET "/v2/m/referrers/$digest"
quirk referrers-html
http 200 GET "/v2/m/referrers/$digest"
assert_eq "type" text/html "$(header Content-Type)"
quirk no-filter
http 200 GET "/v2/m/referrers/$digest?artifactType=application/two"
assert_eq "OCI-Filters-Applied" "" "$(header OCI-Filters-Applied)"
quirk vague-types
http 200 GET "/v2/m/manifests/v1"
assert_eq "type" application/octet-stream "$(header Content-Type)"
quirk no-catalog
http 404 GET "/v2/_catalog"
quirk no-delete
http 405 DELETE "/v2/m/manifests/v1"
quirk no-blob-check
put_manifest nothing v1 "$manifest"
fixture_set one reset 'quirk "warning=soon to go"'
http 200 GET "/v2/"
assert_eq "Warning" '299 - "soon to go"' "$(header Warning)"
fixture_set one reset
http 400 POST /_control --data-binary "quirk nonsense"
http 400 POST /_control --data-binary "fault GET ( once stall"

say "faults, each on the request that it is for"
fault() {
    fixture_set one clear "fault $1"
}
at="/v2/a/b/blobs/$blob"
fault 'GET blobs once status=429 header="Retry-After: 7" body="slow down"'
http 429 GET "$at"
assert_eq "Retry-After" 7 "$(header Retry-After)"
assert_eq "body" "slow down" "$(body)"
http 200 GET "$at"
fault 'GET|HEAD blobs 2-3 status=500'
for expected in 200 500 500 200; do http "$expected" GET "$at"; done
fault 'GET blobs always reset-before'
breaks "52|56" "$at"
fault 'GET blobs always reset-after=50000'
breaks "18|56" "$at"
[[ $(stat -c %s "$T/body") -le 50000 ]] || fail "more than 50000 bytes came"
fault 'GET blobs always truncate=50000'
breaks 18 "$at"
assert_eq "bytes" 50000 "$(stat -c %s "$T/body")"
fault 'GET blobs always stall'
breaks 28 "$at"
fault 'GET blobs always stall-after=50000'
breaks 28 "$at"
assert_eq "bytes" 50000 "$(stat -c %s "$T/body")"
fault 'GET blobs always slow=20000'
breaks 28 "$at"
fault 'GET blobs always corrupt'
http 200 GET "$at"
assert_eq "bytes that differ" 1 "$({ cmp -l "$T/blob" "$T/body" || true; } | wc -l)"
fault 'GET blobs always wrong-digest-header'
http 200 GET "$at"
assert_match "digest header" "^sha256:0{64}$" "$(header Docker-Content-Digest)"
fault 'GET blobs always redirect=http://localhost:1/'
http 307 GET "$at"
assert_eq "Location" "http://localhost:1/" "$(header Location)"
fault 'GET blobs always redirect-loop'
http 307 GET "$at"
assert_eq "Location" "$at" "$(header Location)"
fault 'GET blobs always huge-headers'
breaks "56|100" "$at"
fault 'GET blobs always endless-body'
breaks 28 "$at"
[[ $(stat -c %s "$T/body") -gt 100000 ]] || fail "the body has an end"
fault 'GET blobs always no-range'
http 200 GET "$at" -H "Range: bytes=1-2"
fault 'GET blobs always wrong-range'
http 206 GET "$at" -H "Range: bytes=1-2"
assert_eq "Content-Range" "bytes 2-3/100000" "$(header Content-Range)"
fault 'PUT manifests always reset-answer'
put_manifest m lost "$manifest" 000
fixture_set one clear
http 200 HEAD "/v2/m/manifests/lost"
http 202 POST "/v2/f/blobs/uploads/"
place=$(header Location)
fault 'PATCH uploads once reset-after=50000'
http 000 PATCH "$place" --data-binary "@$T/blob"
http 204 GET "$place"
assert_eq "what the session kept" "0-49999" "$(header Range)"
fault 'PUT uploads once corrupt'
http 400 PUT "$(header Location)&digest=$blob" --data-binary "@-" < <(part 50000 50000)
fault 'PUT uploads once drop-upload'
http 202 POST "/v2/f/blobs/uploads/"
http 404 PUT "$(header Location)&digest=$blob" --data-binary "@$T/blob"
fault 'PUT uploads once status=413'
http 202 POST "/v2/f/blobs/uploads/"
http 413 PUT "$(header Location)&digest=$blob" --data-binary "@$T/blob"
fixture_set one clear "quirk chunks-whole" 'fault PATCH uploads once reset-after=50000'
http 202 POST "/v2/f/blobs/uploads/"
place=$(header Location)
http 000 PATCH "$place" --data-binary "@$T/blob"
http 204 GET "$place"
assert_eq "what the session kept" "0-0" "$(header Range)"
fixture_set one reset

say "the log and the counts"
mark=$(fixture_mark one)
http 206 GET "$at" -H "Range: bytes=1-2" -H "Authorization: Basic secret"
assert_match "the log" "^[0-9]+ GET $at 206 0 2 bytes=1-2 - Basic$" "$(fixture_log one "$mark")"
assert_eq "requests" "GET $at 206" "$(fixture_requests one "$mark")"
before=$(fixture_count one "GET blobs" out)
http 200 GET "$at"
assert_eq "bytes out" $((before + 100000)) "$(fixture_count one "GET blobs" out)"

say "a mount: publish, append, read"
cp "$T/blob" "$T/app"
mount_indexfs "${host[one]}/team/app:v1" "$T/v1"
mkdir "$T/v1/linux-amd64"
cp "$T/app" "$T/v1/linux-amd64/app"
sync "$T/v1"
printf 'more\n' | tee -a "$T/app" >>"$T/v1/linux-amd64/app"
mkdir "$T/v1/linux-arm64"
cp "$T/app" "$T/v1/linux-arm64/app"
sync "$T/v1"
agree "$T/v1" "${host[one]}/team/app:v1"
unmount "$T/v1"
mount_indexfs "${host[one]}/team/app:v1" "$T/again"
assert_same "$T/app" "$T/again/linux-amd64/app"
unmount "$T/again"
stop_fixture one

say "it keeps what it has over a restart"
start_fixture one
URL=http://${host[one]}
http 200 GET "/v2/a/b/blobs/$blob"
assert_same "$T/blob" "$T/body"
stop_fixture one

say "passwords"
start_fixture basic --auth basic --user "tester:sesame" --user "reader:open:pull"
URL=http://${host[basic]}
http 401 GET /v2/
assert_eq "challenge" 'Basic realm="registryd"' "$(header WWW-Authenticate)"
http 401 GET /v2/ -u tester:wrong
http 200 GET /v2/ -u tester:sesame
http 202 POST /v2/a/blobs/uploads/ -u tester:sesame
http 403 POST /v2/a/blobs/uploads/ -u reader:open
http 404 GET /v2/a/tags/list -u reader:open
stop_fixture basic

say "tokens"
start_fixture bearer --auth bearer --user "tester:sesame" --user "reader:open:pull"
URL=http://${host[bearer]}
http 401 GET /v2/
assert_eq "challenge" "Bearer realm=\"$URL/token\",service=\"registryd\"" "$(header WWW-Authenticate)"
http 401 POST /v2/team/app/blobs/uploads/
assert_match "challenge" 'scope="repository:team/app:pull,push"$' "$(header WWW-Authenticate)"
token() { # SCOPE [CURL-OPTION...]
    http 200 GET "/token?service=registryd&scope=$1" "${@:2}"
    token=$(jq -r .token "$T/body")
}
with() { # STATUS METHOD PATH
    http "$@" -H "Authorization: Bearer $token"
}
token repository:team/app:pull,push -u tester:sesame
with 200 GET /v2/
with 202 POST /v2/team/app/blobs/uploads/
with 401 POST /v2/team/other/blobs/uploads/
assert_match "challenge" insufficient_scope "$(header WWW-Authenticate)"
token "repository:team/app:pull,push&scope=repository:b:pull" -u reader:open
with 404 GET /v2/team/app/tags/list
with 404 GET /v2/b/tags/list
with 401 POST /v2/team/app/blobs/uploads/
http 401 GET "/token" -u tester:wrong
http 200 POST /token --data "grant_type=password&username=tester&password=sesame&scope=repository:team/app:pull"
refresh=$(jq -r .refresh_token "$T/body")
http 200 POST /token --data "grant_type=refresh_token&refresh_token=$refresh&scope=repository%3Ateam%2Fapp%3Apull"
token=$(jq -r .access_token "$T/body")
with 404 GET /v2/team/app/tags/list
fixture_set bearer 'fault GET tags once expire-tokens'
with 401 GET /v2/team/app/tags/list
assert_match "challenge" invalid_token "$(header WWW-Authenticate)"
fixture_set bearer 'quirk token-life=1' 'quirk token-field=token' 'quirk no-token-post'
token repository:team/app:pull -u tester:sesame
assert_eq "fields" "1 false" "$(jq -r '"\(.expires_in) \(has("access_token"))"' "$T/body")"
sleep 1.1
with 401 GET /v2/team/app/tags/list
http 404 POST /token --data "grant_type=password"
token repository:team/app:pull
with 401 GET /v2/team/app/tags/list
fixture_set bearer reset 'quirk anonymous=pull'
token repository:team/app:pull,push
with 404 GET /v2/team/app/tags/list
with 401 POST /v2/team/app/blobs/uploads/
stop_fixture bearer

say "TLS"
make_ca
start_fixture tls --tls-cert "$T/server.crt" --tls-key "$T/server.key"
URL=https://${host[tls]}
http 200 GET /v2/ --cacert "$T/ca.crt"
http 202 POST /v2/a/blobs/uploads/ --cacert "$T/ca.crt"
assert_match "Location" "^$URL/" "$(header Location)"
stop_fixture tls

say "the relay: later, slower, cut, counted"
start_fixture behind --quirk no-blob-check
URL=http://${host[behind]}
random_file "$T/big" 8000000
put_blob a "$T/big"
big=$(digest_of "$T/big")
timed() { # NAME: seconds of a GET
    curl -sS -o "$T/body" -w '%{time_total}' "http://${host[$1]}/v2/a/blobs/$big"
}
between() { # WHAT LEAST VALUE MOST
    awk -v a="$2" -v v="$3" -v b="$4" 'BEGIN { exit !(a <= v && v <= b) }' ||
        fail "$1: $3 isn't between $2 and $4"
}
start_relay far behind --delay 200
between "200 ms of round trip" 0.2 "$(timed far)" 1.5
assert_same "$T/big" "$T/body"
stop_relay far
assert_match "counts" "^connections 1 to-server [0-9]+ to-client 80[0-9]{5} cuts 0$" "$relay_counts"
start_relay narrow behind --rate 8000000
between "8 MB at 8 MB/s" 0.9 "$(timed narrow)" 2.5
assert_same "$T/big" "$T/body"
stop_relay narrow
start_relay cut behind --cut-after 3000000,every
for part in 3000000 6000000; do
    curl -sS -C - -o "$T/parts" "http://${host[cut]}/v2/a/blobs/$big" 2>"$T/curl" && fail "it wasn't cut"
    between "what came" $((part - 1500000)) "$(stat -c %s "$T/parts")" "$part"
done
tries=0
while ! curl -sS -C - -o "$T/parts" "http://${host[cut]}/v2/a/blobs/$big" 2>"$T/curl"; do
    [[ $((++tries)) -lt 10 ]] || fail "it never ends"
done
assert_same "$T/big" "$T/parts"
stop_relay cut
assert_match "counts" "cuts [2-9]$" "$relay_counts"
stop_fixture behind

say "it ends while requests hang"
start_fixture hangs --quirk no-blob-check
fixture_set hangs 'fault GET base|v2 always stall'
curl -sS "http://${host[hangs]}/v2/" >"$T/curl" 2>&1 &
pid=$!
sleep 0.3
stop_fixture hangs
wait "$pid" && fail "an answer came"
exit 0
