#!/usr/bin/env python3
"""A registry that wants what its users have, or wants them to fall over; and who it works with.

    hostile.py network                    the addresses of all of them, in a network of the test's own
    hostile.py serve FOLDER               serves; FOLDER/ready is there once it does
    hostile.py cases KIND                 "NAME EXPECTED" of each case
    hostile.py part FILE                  reads a part of it: "ok", or the name of an errno

FOLDER has ca.crt, server.crt, server.key and self.crt, self.key. FOLDER/mode names the case that
requests of the repository "writes", and of /v2/, meet: "good" is none. FOLDER/requests.log has a
JSON line for each request, and for each connection to where nobody should ever go.

EXPECTED is an errno, "ok", or a pattern of what a mount says that fails.
"""
import base64
import errno
import fcntl
import gzip
import hashlib
import json
import os
import re
import socket
import ssl
import struct
import sys
import threading
import time

REGISTRY, THIEF, SELF = "10.9.9.1", "10.9.9.2", "10.9.9.3"
METADATA, LINK_LOCAL = "169.254.169.254", "fe80::1"
USER, PASSWORD, TOKEN = "tester", "sesame-of-the-tester", "token-of-the-tester"
BASIC = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCTETS = "application/octet-stream"
HUGE = 5 << 30
ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31m"


# --- The cases

CASES = {}


def case(kind, expected):
    def keep(function):
        CASES.setdefault(kind, {})[function.__name__.strip("_")] = (expected, function)
        return function

    return keep


def realm(name, expected, url):
    CASES.setdefault("realm", {})[name] = (expected, url)


realm("http", "https to plain http", f"http://registry.test/token")
realm("http_elsewhere", "https to plain http", "http://thief.test/token")
realm("userinfo", "carries credentials", "https://a:b@thief.test/token")
realm("userinfo_of_itself", "carries credentials", "https://registry.test@thief.test/token")
realm("metadata", "can't have", f"https://{METADATA}/token")
realm("metadata_mapped", "can't have", f"https://[::ffff:{METADATA}]/token")
realm("metadata_decimal", "can't have", "https://2852039166/token")
realm("metadata_by_name", "can't have", "https://metadata.test/token")
realm("link_local", "can't have", f"https://[{LINK_LOCAL}]/token")
realm("link_local_zone", "can't", f"https://[{LINK_LOCAL}%25lo]/token")
realm("loopback", "this machine", "https://127.0.0.1/token")
realm("loopback_octal", "this machine|can't have", "https://0177.1/token")
realm("loopback_six", "this machine", "https://[::1]/token")
realm("loopback_by_name", "can't have", "https://sneaky.test/token")
realm("any_address", "this machine|can't have", "https://0.0.0.0/token")
realm("file", "neither http nor https", "file:///etc/passwd")
realm("gopher", "neither http nor https", "gopher://thief.test/_token")
realm("relative", "https to plain http|not found|HTTP 404|refused", "/no/token/here")
realm("no_url", "can't be used|HTTP|token", "::::")
realm("empty", "401|token", "")
realm("enormous", "too long|too many headers|401", "https://thief.test/" + "a" * 60000)
realm("line_break", "HTTP|host|URL", "https://registry.test/%0d%0aX-Injected:%20yes")


@case("token", "redirects")
def redirect(a):
    a.send(302, {"Location": "https://thief.test/token"})


@case("token", "redirects")
def redirect_keeping_the_method(a):
    a.send(307, {"Location": "https://registry.test:444/token"})


@case("token", "larger than")
def five_gigabytes(a):
    a.endless(b'{"token":"', {"Content-Length": str(HUGE)})


@case("token", "larger than")
def endless(a):
    a.endless_chunks(b'{"token":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaa')


@case("token", "token server")
def garbage(a):
    a.send(200, {}, os.urandom(4000))


@case("token", "token server")
def nested(a):
    a.send(200, {}, b'{"token":' + b"[" * 30000 + b"]" * 30000 + b"}")


@case("token", "larger than")
def nested_deeper(a):
    a.send(200, {}, b'{"token":' + b"[" * 100000 + b"]" * 100000 + b"}")


@case("token", "can't be one")
def with_a_line_break(a):
    a.send(200, {}, json.dumps({"token": "x\r\nX-Injected: yes"}).encode())


@case("token", "token server")
def that_is_no_text(a):
    a.send(200, {}, b'{"token": {"token": "x"}}')


@case("token", "no token")
def empty(a):
    a.send(200, {}, b'{"token": ""}')


@case("token", "ok")
def that_ended_before_it_began(a):
    a.send(200, {}, json.dumps({"token": TOKEN, "expires_in": -(2**63)}).encode())


@case("token", "ok")
def that_never_ends(a):
    a.send(200, {}, f'{{"token": "{TOKEN}", "expires_in": 1e308}}'.encode())


@case("token", "ok")
def that_never_ends_in_whole_numbers(a):
    a.send(200, {}, f'{{"token": "{TOKEN}", "expires_in": {"9" * 400}}}'.encode())


@case("token", "ok")
def from_the_end_of_time(a):
    text = {"token": TOKEN, "expires_in": 60, "issued_at": "9999999-99-99T99:99:99Z"}
    a.send(200, {}, json.dumps(text).encode())


@case("token", "HTTP 401")
def refused_with_escapes(a):
    a.refuse(401, {"WWW-Authenticate": 'Basic realm="https://thief.test/"'})


@case("token", "no answer in time|too slow|stalled")
def by_the_byte(a):
    a.slowly(b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\n")


# A tag's own document.


@case("tag", "larger than|bytes")
def five_gigabytes(a):
    a.endless(b" ", {"Content-Type": INDEX, "Content-Length": str(HUGE)})


@case("tag", "larger than")
def endless(a):
    a.endless_chunks(b" " * 4096, {"Content-Type": INDEX})


@case("tag", "manifest v1: ")
def nested(a):
    a.send(200, {"Content-Type": INDEX}, b'{"manifests":' + b"[" * 100000 + b"]" * 100000 + b"}")


@case("tag", "70000 manifests")
def seventy_thousand_entries(a):
    entry = b'{"mediaType":"a/b","digest":"x:0","size":0}'
    a.send(200, {"Content-Type": INDEX}, a.index_of([entry] * 70000))


@case("tag", "manifest v1: ")
def index_called_a_manifest(a):
    a.send(200, {"Content-Type": MANIFEST}, a.index_of([]))


@case("tag", "manifest v1: ")
def manifest_called_an_index(a):
    a.send(200, {"Content-Type": INDEX}, a.manifest_of([]))


@case("tag", "manifest v1: ")
def digest_that_climbs(a):
    entry = b'{"mediaType":"%s","digest":"sha256:../../../../etc/passwd","size":1}' % MANIFEST.encode()
    a.send(200, {"Content-Type": INDEX}, a.index_of([entry]))


@case("tag", "manifest v1: ")
def size_below_zero(a):
    entry = b'{"mediaType":"a/b","digest":"sha256:%s","size":-1}' % (b"0" * 64)
    a.send(200, {"Content-Type": INDEX}, a.index_of([entry]))


@case("tag", "too many headers")
def hundred_thousand_headers(a):
    a.raw(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: x\r\n" % i for i in range(100000)))


@case("tag", "a header that there is no memory for|too many headers")
def header_of_a_hundred_mebibytes(a):
    a.raw(b"HTTP/1.1 200 OK\r\nX-Large: ")
    for _ in range(100):
        a.raw(b"x" * (1 << 20))


@case("tag", "a header that there is no memory for|too many headers")
def warning_of_a_mebibyte(a):
    text = ESCAPES.encode("latin-1") * ((1 << 20) // len(ESCAPES))
    a.raw(b'HTTP/1.1 200 OK\r\nWarning: 299 - "' + text + b'"\r\n\r\n')


@case("tag", "too many headers|no answer in time")
def endless_interim_answers(a):
    while True:
        a.raw(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 1000)


@case("tag", "no answer in time|stalled")
def headers_by_the_byte(a):
    a.slowly(b"HTTP/1.1 200 OK\r\nContent-Type: " + INDEX.encode() + b"\r\n" + b"X: x\r\n" * 99)


@case("tag", "HTTP 403")
def refused_with_escapes(a):
    a.refuse(403, {})


@case("tag", "HTTP 403")
def refused_at_length(a):
    a.endless(b"no ", {"Content-Length": str(HUGE)}, status=403)


# A platform's manifest, named by the index of "reads".


@case("manifest", "ok")
def redirect(a):
    a.send(307, {"Location": f"https://thief.test/good/{a.digest}"})


@case("manifest", "EACCES")
def redirect_to_a_challenge(a):
    a.send(307, {"Location": "https://thief.test/challenge"})


@case("manifest", "ok")
def redirect_to_another_port(a):
    a.send(307, {"Location": f"https://registry.test:444/good/{a.digest}"})


@case("manifest", "EIO")
def redirect_to_plain_http(a):
    a.send(307, {"Location": f"http://registry.test/good/{a.digest}"})


@case("manifest", "EFBIG")
def five_gigabytes_at_length(a):
    a.endless_chunks(b" " * 4096, {"Content-Type": MANIFEST})


@case("manifest", "EIO")
def cycle(a):
    """An index that names itself: as near as one can get to it."""
    entry = json.dumps({"mediaType": INDEX, "digest": a.digest, "size": len(a.good)}).encode()
    a.send(200, {"Content-Type": INDEX}, a.index_of([entry]))


@case("manifest", "EIO")
def index_called_a_manifest(a):
    a.send(200, {"Content-Type": MANIFEST}, a.index_of([]))


@case("manifest", "EIO")
def wrong_bytes(a):
    a.send(200, {"Content-Type": MANIFEST}, a.good.replace(b"title", b"tilte"))


@case("manifest", "EIO")
def wrong_bytes_with_a_header_that_agrees(a):
    body = a.good.replace(b"title", b"tilte")
    digest = "sha256:" + hashlib.sha256(body).hexdigest()
    a.send(200, {"Content-Type": MANIFEST, "Docker-Content-Digest": digest}, body)


@case("manifest", "EIO")
def header_that_climbs(a):
    headers = {"Content-Type": MANIFEST, "Docker-Content-Digest": "sha256:../../../etc/passwd"}
    a.send(200, headers, a.good)


@case("manifest", "EIO")
def zipped_bomb(a):
    a.send(200, {"Content-Type": MANIFEST, "Content-Encoding": "gzip"}, BOMB)


@case("manifest", "ok")
def warned_with_escapes(a):
    text = ESCAPES.encode("latin-1").replace(b"\\", b"")
    a.raw(b"HTTP/1.1 200 OK\r\nContent-Type: %s\r\nContent-Length: %d\r\n" % (MANIFEST.encode(), len(a.good)))
    a.raw(b'Warning: 299 - "' + text + b'"\r\n\r\n' + a.good)


# A layer of the manifest of linux/amd64 of "reads".


@case("blob", "ok")
def redirect_(a):
    a.send(307, {"Location": f"https://thief.test/good/{a.digest}"})


@case("blob", "ok")
def redirect_twice(a):
    a.send(302, {"Location": f"https://registry.test:444/back/{a.digest}"})


@case("blob", "EACCES")
def redirect_to_a_challenge(a):
    a.send(307, {"Location": "https://thief.test/challenge"})


@case("blob", "EACCES")
def redirect_to_another_port(a):
    a.send(307, {"Location": "https://registry.test:444/challenge"})


@case("blob", "EIO")
def redirect_to_plain_http(a):
    a.send(307, {"Location": f"http://thief.test/good/{a.digest}"})


@case("blob", "EIO")
def redirect_with_a_password(a):
    a.send(307, {"Location": f"https://a:b@thief.test/good/{a.digest}"})


@case("blob", "EIO")
def redirect_to_a_file(a):
    a.send(307, {"Location": "file:///etc/passwd"})


@case("blob", "EIO")
def redirect_loop(a):
    a.send(307, {"Location": a.target})


@case("blob", "EIO")
def redirect_that_grows(a):
    a.send(307, {"Location": a.target + "?" + "a" * 40000})


@case("blob", "EKEYREJECTED")
def redirect_to_who_vouches_for_himself(a):
    a.send(307, {"Location": f"https://self.test/good/{a.digest}"})


@case("blob", "EIO")
def redirect_to_the_metadata(a):
    a.send(307, {"Location": f"https://{METADATA}/latest/meta-data/"})


@case("blob", "EIO")
def redirect_to_the_metadata_by_name(a):
    a.send(307, {"Location": "https://metadata.test/latest/meta-data/"})


@case("blob", "EIO")
def redirect_to_link_local(a):
    a.send(307, {"Location": f"https://[{LINK_LOCAL}]/"})


@case("blob", "EIO")
def redirect_to_this_machine(a):
    a.send(307, {"Location": "https://127.0.0.1/"})


@case("blob", "EIO")
def redirect_to_this_machine_by_name(a):
    a.send(307, {"Location": "https://sneaky.test/"})


@case("blob", "EIO")
def five_gigabytes(a):
    a.endless(b"x", {"Content-Length": str(HUGE)})


@case("blob", "EIO")
def endless(a):
    a.endless_chunks(b"x" * 4096)


@case("blob", "EIO")
def wrong_bytes(a):
    a.send(200, {}, b"X" * len(a.good))


@case("blob", "EIO")
def length_below_zero(a):
    a.raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n" + b"X" * 100)


@case("blob", "EIO")
def length_beyond_counting(a):
    a.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 18446744073709551617\r\n\r\n" + b"X" * 100)


@case("blob", "EIO")
def two_lengths(a):
    a.raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: %d\r\n\r\n" % len(a.good) + a.good[:5])


@case("blob", "EIO")
def chunk_beyond_counting(a):
    a.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff1\r\nx\r\n")


@case("blob", "EIO")
def unasked_part(a):
    a.send(206, {"Content-Range": f"bytes 0-4/{len(a.good)}"}, a.good[:5])


@case("blob", "EIO")
def version_of_long_ago(a):
    a.raw(b"<html>" + a.good)


@case("blob", "EIO")
def no_status(a):
    a.raw(b"HTTP/1.1 99999999999999999999 OK\r\n\r\n")


@case("blob", "EIO")
def other_protocol(a):
    a.raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n" + a.good)


@case("blob", "EIO")
def zipped_bomb(a):
    a.send(200, {"Content-Encoding": "gzip"}, BOMB)


@case("blob", "ETIMEDOUT")
def nothing_at_all(a):
    a.raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(a.good))
    a.rest()


@case("blob", "EIO")
def half_of_it(a):
    a.raw(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(a.good) + a.good[: len(a.good) // 2])


# A part of a large layer; what isn't the part that was asked for is no part, so all is asked for.


@case("range", "ok")
def of_another_place(a):
    a.part(first=a.first + 1)


@case("range", "ok")
def of_no_place(a):
    a.send(206, {}, a.whole(a.first, a.last))


@case("range", "ok")
def of_negative_places(a):
    a.send(206, {"Content-Range": f"bytes -1-{a.last}/{LARGE}"}, a.whole(a.first, a.last))


@case("range", "ok")
def beyond_counting(a):
    a.send(206, {"Content-Range": f"bytes {a.first}-{'9' * 30}/{'9' * 30}"}, a.whole(a.first, a.last))


@case("range", "EIO")
def of_something_larger(a):
    a.part(total=LARGE * 2)


@case("range", "ok")  # what is right of it had come before
def longer_than_it_says(a):
    headers = {"Content-Range": f"bytes {a.first}-{a.last}/{LARGE}"}
    a.endless_chunks(b"\0" * 65536, headers, status=206)


@case("range", "ok")
def in_several_parts(a):
    a.send(206, {"Content-Type": "multipart/byteranges; boundary=x"}, b"--x\r\n\r\n--x--")


# An upload, and the manifest after it.


@case("write", "ok")
def location_elsewhere(a):
    a.send(202, {"Location": "https://thief.test/upload"})


@case("write", "EACCES")
def location_of_a_challenge(a):
    a.send(202, {"Location": "https://thief.test/challenge"})


@case("write", "EACCES")
def location_at_another_port(a):
    a.send(202, {"Location": "https://registry.test:444/challenge"})


@case("write", "EIO")
def location_without_tls(a):
    a.send(202, {"Location": "http://thief.test/upload"})


@case("write", "EIO")
def location_of_a_file(a):
    a.send(202, {"Location": "file:///etc/passwd"})


@case("write", "EIO")
def location_with_a_password(a):
    a.send(202, {"Location": "https://a:b@thief.test/upload"})


@case("write", "EIO")
def location_of_the_metadata(a):
    a.send(202, {"Location": f"https://{METADATA}/latest/meta-data/"})


@case("write", "EIO")
def location_on_this_machine(a):
    a.send(202, {"Location": "https://sneaky.test/upload"})


@case("write", "EIO")
def location_missing(a):
    a.send(202, {})


@case("write", "EIO")
def redirect_of_a_post(a):
    a.send(307, {"Location": "https://thief.test/upload"})


@case("write", "EIO")
def five_gigabytes_of_thanks(a):
    a.endless(b"x", {"Location": "/v2/writes/blobs/uploads/1", "Content-Length": str(HUGE)}, status=202)


@case("write", "EACCES")
def refused_with_escapes(a):
    a.refuse(403, {})


@case("write", "EACCES")
def challenged_to_another_realm(a):
    a.send(401, {"WWW-Authenticate": 'Bearer realm="https://sneaky.test/token",service="x"'})


# What /v2/ says to a login.


@case("login", "https to plain http")
def realm_without_tls(a):
    a.send(401, {"WWW-Authenticate": 'Bearer realm="http://thief.test/token",service="x"'})


@case("login", "can't have")
def realm_of_secrets(a):
    a.send(401, {"WWW-Authenticate": f'Bearer realm="https://{METADATA}/token",service="x"'})


@case("login", "HTTP 401|401|redirect|unexpected")
def redirect_elsewhere(a):
    a.send(307, {"Location": "https://thief.test/challenge"})


@case("login", "HTTP 403")
def refused_with_escapes(a):
    a.refuse(403, {})


@case("login", "larger than|unexpected|too large")
def endless(a):
    a.endless_chunks(b"x" * 4096)


@case("login", "too many headers")
def hundred_thousand_headers(a):
    a.raw(b"HTTP/1.1 200 OK\r\n" + b"".join(b"X-%d: x\r\n" % i for i in range(100000)))


# --- What is served

BOMB = b""
LARGE = 12 << 20


class Content:
    """Good blobs and documents, and by which case each is met."""

    def __init__(self):
        self.blobs = {}
        self.met = {}  # digest -> case's function
        self.good = self.put_index([("linux", "amd64", self.put_manifest([self.put(b"hello\n", "hello")]))])
        self.reads = self.make_reads()
        self.ranges = {name: self.make_range(name) for name in CASES["range"]}
        self.odd = {"names": self.odd_names(), "deep": self.deep(), "nul": self.odd_title("a\0b"),
                    "surrogate": self.odd_title("\ud800")}
        self.written = None

    def put(self, data, title=None, media_type=OCTETS):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.blobs[digest] = data
        entry = {"mediaType": media_type, "digest": digest, "size": len(data)}
        if title is not None:
            entry["annotations"] = {"org.opencontainers.image.title": title}
        return entry

    def put_manifest(self, layers):
        config = self.put(b"{}", None, "application/vnd.oci.empty.v1+json")
        body = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.example",
                "config": config, "layers": layers}
        return self.put(json.dumps(body).encode(), None, MANIFEST)

    def put_index(self, entries):
        manifests = [dict(e, platform={"os": o, "architecture": a}) if o else e for o, a, e in entries]
        return self.put(json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests}).encode(),
                        None, INDEX)

    def meet(self, entry, function):
        self.met[entry["digest"]] = function
        return entry

    def make_reads(self):
        entries, layers = [], []
        for name, (_, function) in CASES["blob"].items():
            layers.append(self.meet(self.put(f"blob {name}\n".encode() * 100, name), function))
        entries.append(("linux", "amd64", self.put_manifest(layers)))
        good = [self.put(f"good {i}\n".encode(), f"g{i}") for i in range(200)]
        entries.append(("linux", "arm64", self.put_manifest(good)))
        for name, (_, function) in CASES["manifest"].items():
            layer = self.put(f"manifest {name}\n".encode(), "hello")
            entries.append(("linux", name, self.meet(self.put_manifest([layer]), function)))
        return self.put_index(entries)

    def make_range(self, name):
        """Zeros, so that it needn't be kept, with the case's name before them."""
        head = name.encode().ljust(64, b" ")
        data = head + bytes(LARGE - 64)
        entry = self.put(data, "large")
        self.meet(entry, ("range", name))
        return self.put_index([("linux", "amd64", self.put_manifest([entry]))])

    def odd_names(self):
        titles = [ESCAPES, "a\nb", "../../../../etc/passwd", "/etc/shadow", "..", ".", "", "a//b", ".oci/log",
                  "annotations.json", "x" * 300, "x/" * 2000 + "y", "a", "a/b", "same", "same", "\u202egnp.exe",
                  "C:\\x"]
        layers = [self.put(f"odd {i}\n".encode(), title) for i, title in enumerate(titles)]
        manifest, small = self.put_manifest(layers), self.put_manifest(layers[:2])
        platforms = [("linux", "amd64"), (ESCAPES, "amd64"), ("linux", "a\nb"), ("..", ".."), ("linux/../..", "x"),
                     ("x" * 300, "y" * 300), ("linux", "amd64"), ("", "")]
        return self.put_index([("linux", "s390x", manifest)] + [(o or " ", a, small) for o, a in platforms])

    def odd_title(self, title):
        return self.put_index([("linux", "amd64", self.put_manifest([self.put(b"odd\n", title)]))])

    def deep(self):
        entry = self.good
        for _ in range(64):
            entry = self.put_index([(None, None, entry)])
        return entry


class Gone(Exception):
    """The client has hung up."""


class Answer:
    """One request, and the means to answer it."""

    def __init__(self, server, sock, head):
        self.server, self.sock = server, sock
        lines = head.decode("latin-1").split("\r\n")
        self.method, self.target = lines[0].split(" ")[:2]
        self.headers = {k.lower(): v.strip() for k, _, v in (l.partition(":") for l in lines[1:])}
        self.path = self.target.partition("?")[0]
        self.keep = False

    def raw(self, data):
        try:
            self.sock.sendall(data)
        except OSError as error:
            raise Gone from error

    def send(self, status, headers, body=b""):
        headers = {"Content-Length": str(len(body)), "Set-Cookie": "tester=tracked; Path=/", **headers}
        text = f"HTTP/1.1 {status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items()) + "\r\n"
        self.raw(text.encode("latin-1") + (b"" if self.method == "HEAD" else body))
        self.keep = True

    def refuse(self, status, headers):
        """Quotes what it was shown, as a debugging server may, and in colours."""
        shown = self.headers.get("authorization", "none")
        plain = base64.b64decode(shown[6:]).decode() if shown.startswith("Basic ") else ""
        text = {"errors": [{"code": "DENIED" + ESCAPES, "message": f"{ESCAPES}you said {shown}, {plain}"}]}
        self.send(status, headers, json.dumps(text, ensure_ascii=False).encode())

    def endless(self, piece, headers, status=200):
        self.raw((f"HTTP/1.1 {status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
                  + "\r\n").encode())
        while True:
            self.raw(piece * (65536 // len(piece)))

    def endless_chunks(self, piece, headers=None, status=200):
        headers = {"Transfer-Encoding": "chunked", **(headers or {})}
        self.raw((f"HTTP/1.1 {status} X\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers.items())
                  + "\r\n").encode())
        while True:
            self.raw(b"%x\r\n%s\r\n" % (len(piece), piece))

    def slowly(self, data):
        for i in range(len(data)):
            self.raw(data[i : i + 1])
            time.sleep(0.5)

    def rest(self):
        time.sleep(30)

    @staticmethod
    def index_of(entries):
        return b'{"schemaVersion":2,"mediaType":"%s","manifests":[' % INDEX.encode() + b",".join(entries) + b"]}"

    @staticmethod
    def manifest_of(layers):
        return (b'{"schemaVersion":2,"mediaType":"%s","config":{"mediaType":"a/b","digest":"sha256:%s","size":2},'
                b'"layers":[' % (MANIFEST.encode(), b"0" * 64) + b",".join(layers) + b"]}")

    def about(self, digest):
        self.digest, self.good = digest, self.server.content.blobs[digest]
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", self.headers.get("range", ""))
        self.first, self.last = (int(found[1]), int(found[2])) if found else (0, len(self.good) - 1)
        return found is not None

    def whole(self, first, last):
        return self.good[first : last + 1]

    def part(self, first=None, total=None):
        first = self.first if first is None else first
        self.send(206, {"Content-Range": f"bytes {first}-{self.last}/{total or len(self.good)}"},
                  self.whole(self.first, self.last))

    def give(self, digest, media_type=OCTETS):
        if digest not in self.server.content.blobs:
            return self.send(404, {})
        if self.about(digest):
            return self.part()
        headers = {"Content-Type": media_type, "Content-Length": str(len(self.good))}
        if media_type != OCTETS:
            headers["Docker-Content-Digest"] = digest
        return self.send(200, headers, self.good)


class Server:
    def __init__(self, folder):
        self.folder, self.content, self.lock = folder, Content(), threading.Lock()
        self.log = open(f"{folder}/requests.log", "a", encoding="utf-8")

    def note(self, where, **more):
        with self.lock:
            print(json.dumps({"where": where, **more}), file=self.log, flush=True)

    def mode(self):
        try:
            with open(f"{self.folder}/mode", encoding="utf-8") as file:
                return file.read().strip()
        except FileNotFoundError:
            return "good"

    # The registry.

    def registry(self, a):
        parts = a.path.split("/")
        if a.path.startswith("/token"):
            return self.token(a, parts[2] if len(parts) > 2 else "")
        if a.path == "/v2/" and self.mode() != "good":
            return CASES["login"][self.mode()][1](a)
        kind, name = (parts[2], parts[3]) if len(parts) > 4 and parts[2] in ("realm", "token", "tag", "range", "odd") \
            else ("", "")
        if kind == "realm":
            return a.send(401, {"WWW-Authenticate": f'Bearer realm="{CASES["realm"][name][1]}",service="x"'})
        if a.headers.get("authorization") != f"Bearer {TOKEN}":
            place = f"/token/{name}" if kind == "token" else "/token"
            return a.send(401, {"WWW-Authenticate": f'Bearer realm="https://registry.test{place}",service="registry"'})
        return self.repository(a, kind, name)

    def token(self, a, name):
        if a.headers.get("authorization") != f"Basic {BASIC}":
            return a.send(401, {})
        if name:
            return CASES["token"][name][1](a)
        return a.send(200, {}, json.dumps({"token": TOKEN}).encode())

    def top(self, kind, name, repository):
        if kind in ("range", "odd"):
            return {"range": self.content.ranges, "odd": self.content.odd}[kind][name]
        return {"reads": self.content.reads, "writes": self.content.written}.get(repository, self.content.good)

    def repository(self, a, kind, name):
        what, reference = a.path.split("/")[-2:]
        repository = a.path.split("/")[2]
        if repository == "writes" and a.method in ("POST", "PUT", "PATCH"):
            return self.write(a, what, reference)
        if kind == "tag" and reference == "v1":
            return CASES["tag"][name][1](a)
        if what == "manifests" and reference == "v1":
            top = self.top(kind, name, repository)
            return a.give(top["digest"], top["mediaType"]) if top else a.send(404, {})
        met = self.content.met.get(reference)
        if met:
            return self.meet(a, reference, met)
        text = self.content.blobs.get(reference, b"")
        media_type = OCTETS if what == "blobs" else INDEX if b'"manifests"' in text else MANIFEST
        return a.give(reference, media_type)

    def meet(self, a, digest, met):
        ranged = a.about(digest)
        if not isinstance(met, tuple):
            return met(a)
        # A part is what the case is about; the whole is good.
        return CASES["range"][met[1]][1](a) if ranged else a.give(digest)

    def write(self, a, what, reference):
        mode = self.mode()
        if what == "uploads":
            if a.method == "POST":
                if mode != "good":
                    return CASES["write"][mode][1](a)
                return a.send(202, {"Location": f"{a.path}1"})
            self.content.put(a.body)
            return a.send(201, {"Location": "/"})
        entry = self.content.put(a.body, None, a.headers["content-type"])
        if reference == "v1":
            self.content.written = entry
        return a.send(201, {"Docker-Content-Digest": entry["digest"]})

    # Those that it works with.

    def thief(self, a):
        if a.path.startswith("/good/"):
            return a.give(a.path[6:], MANIFEST if b'"layers"' in self.content.blobs.get(a.path[6:], b"") else OCTETS)
        if a.path.startswith("/back/"):
            return a.send(302, {"Location": f"https://thief.test/good/{a.path[6:]}"})
        if a.path == "/upload":
            return a.send(201, {"Location": "/"})
        if a.path == "/token":
            return a.send(200, {}, json.dumps({"token": TOKEN}).encode())
        return a.send(401, {"WWW-Authenticate": 'Basic realm="the password, please"'})

    def talk(self, where, answer_one, sock):
        rest = b""
        while True:
            while b"\r\n\r\n" not in rest:
                more = sock.recv(65536)
                if not more:
                    return
                rest += more
            head, _, rest = rest.partition(b"\r\n\r\n")
            a = Answer(self, sock, head)
            certificate = bool(sock.getpeercert())
            self.note(where, method=a.method, target=a.target, headers=a.headers, certificate=certificate)
            if a.headers.get("expect"):
                a.raw(b"HTTP/1.1 100 Continue\r\n\r\n")
            length = int(a.headers.get("content-length", 0))
            while len(rest) < length:
                rest += sock.recv(65536)
            a.body, rest = rest[:length], rest[length:]
            answer_one(a)
            if not a.keep:
                return

    def connection(self, where, answer_one, sock, context):
        if answer_one is None:
            self.note(where, trap=True)
            sock.close()
            return
        try:
            if context:
                sock = context.wrap_socket(sock, server_side=True)
            self.talk(where, answer_one, sock)
        except (Gone, OSError, ssl.SSLError):
            pass
        finally:
            sock.close()

    def listen(self, where, address, port, answer_one, context=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        scope = (0, socket.if_nametoindex("lo")) if address == LINK_LOCAL else ()
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((address, port) + scope)
        listener.listen(64)

        def accept():
            while True:
                sock, _ = listener.accept()
                args = (where, answer_one, sock, context)
                threading.Thread(target=self.connection, args=args, daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()


def serve(folder):
    global BOMB
    BOMB = gzip.compress(gzip.compress(bytes(64 << 20)))
    server = Server(folder)
    good, self_signed = (ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER) for _ in range(2))
    good.load_cert_chain(f"{folder}/server.crt", f"{folder}/server.key")
    self_signed.load_cert_chain(f"{folder}/self.crt", f"{folder}/self.key")
    for context in (good, self_signed):  # whoever shows one is known by it
        context.load_verify_locations(f"{folder}/ca.crt")
        context.verify_mode = ssl.CERT_OPTIONAL
    server.listen("registry", REGISTRY, 443, server.registry, good)
    server.listen("thief", REGISTRY, 444, server.thief, good)
    server.listen("thief", THIEF, 443, server.thief, good)
    server.listen("self", SELF, 443, server.thief, self_signed)
    # Without TLS, on this machine, among a cloud's secrets: nobody may come here.
    for address in (REGISTRY, THIEF, METADATA):
        server.listen(f"trap {address}:80", address, 80, None)
    for address in ("127.0.0.1", "::1", METADATA, LINK_LOCAL):
        server.listen(f"trap {address}:443", address, 443, None)
    with open(f"{folder}/ready", "w", encoding="utf-8"):
        pass
    threading.Event().wait()


def network():
    """The addresses, on the loopback device of this network namespace."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as four, socket.socket(
        socket.AF_INET6, socket.SOCK_DGRAM
    ) as six:
        fcntl.ioctl(four, 0x8914, struct.pack("16sH14x", b"lo", 0x49))  # SIOCSIFFLAGS: up
        for i, address in enumerate((REGISTRY, THIEF, SELF, METADATA)):
            name, packed = b"lo:%d" % i, socket.inet_aton(address)
            fcntl.ioctl(four, 0x8916, struct.pack("16sHH4s8x", name, socket.AF_INET, 0, packed))  # SIOCSIFADDR
        packed = socket.inet_pton(socket.AF_INET6, LINK_LOCAL)
        fcntl.ioctl(six, 0x8916, struct.pack("16sIi", packed, 128, socket.if_nametoindex("lo")))


def read_part(path):
    try:
        with open(path, "rb", buffering=0) as file:
            return "ok" if os.pread(file.fileno(), 4096, LARGE // 2) == bytes(4096) else "wrong"
    except OSError as error:
        return errno.errorcode[error.errno]


def main():
    what, *rest = sys.argv[1:]
    if what == "network":
        network()
    elif what == "cases":
        for name, (expected, _) in CASES[rest[0]].items():
            print(name, expected)
    elif what == "part":
        print(read_part(rest[0]))
    else:
        serve(rest[0])


if __name__ == "__main__":
    main()
