#!/usr/bin/env python3
"""Each kind of request of a publish and of a read, with each fault, once and always.

    faults.py BUILD [--filter REGEX] [--part I/N] [--jobs N] [--verbose]

Once: the operation succeeds, but for the EXCEPTIONS, and the registry holds exactly the right
bytes. Always: the errno of the contract within the time limit, what is staged is intact, and the
same operation succeeds once the fault is gone. Each case has one outcome. A case is a mount of its
own on a registryd of its worker. Prints how many cases it ran, and the exceptions among them; exit
status 1 where one failed.
"""
import argparse
import errno
import hashlib
import json
import os
import queue
import re
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

TIMEOUT, RETRIES = 4, 2
# Seconds for an operation of several requests, each of which may take TIMEOUT.
LIMIT = 20.0 * int(os.environ.get("TEST_PATIENCE", "1"))
NOBODY = "http://127.0.0.1:1/x?y=z"
NO_HOST = "http://" + "a" * 64 + ".invalid/x?y=z"  # a label too long: no resolver is asked

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"


class Kind:
    """A kind of request: in which operation it is sent, and how to know it."""

    def __init__(self, name, operation, method, path, auth=False, options="", first=1):
        self.name, self.operation, self.method, self.path = name, operation, method, path
        self.auth, self.options, self.first = auth, options, first
        self.blob = operation.startswith("read")
        self.within = {"GET blob": "7000", "GET range": "7000", "GET range, strict": "5000000",
                       "PATCH upload": "20000000"}.get(name, "7")

    @property
    def writes(self):
        return self.operation.startswith("publish")

    @property
    def sends(self):
        return self.method in ("PUT", "PATCH")

    @property
    def receives(self):
        return self.method == "GET"

    @property
    def follows(self):
        return self.method in ("GET", "HEAD")

    @property
    def document(self):
        return self.method == "PUT" and "/manifests/" in self.path


KINDS = [
    Kind("HEAD blob", "publish", "HEAD", "/blobs/sha256:"),
    Kind("POST upload", "publish", "POST", "/blobs/uploads/"),
    Kind("PUT upload", "publish", "PUT", "/blobs/uploads/"),
    Kind("PATCH upload", "publish-large", "PATCH", "/blobs/uploads/"),
    Kind("PUT manifest", "publish", "PUT", "/manifests/sha256:"),
    Kind("HEAD tag", "publish", "HEAD", "/manifests/v1"),
    Kind("PUT tag", "publish", "PUT", "/manifests/v1"),
    Kind("HEAD tag, read back", "publish", "HEAD", "/manifests/v1", first=2),
    Kind("GET index", "mount", "GET", "/manifests/"),
    Kind("GET manifest", "list", "GET", "/manifests/sha256:"),
    Kind("GET blob", "read", "GET", "/blobs/"),
    Kind("GET range", "read-large", "GET", "/blobs/"),
    Kind("GET range, strict", "read-large", "GET", "/blobs/", options="verify=strict"),
    Kind("GET token, to write", "publish", "GET", "^/token.*push", auth=True),
    Kind("GET token, to read", "mount", "GET", "^/token", auth=True),
]


class Fault:
    """always: what comes of it where it lasts, "ok" or an errno; but: for some kinds."""

    def __init__(self, name, action, always, but=None, only=lambda kind: True, at=None,
                 mode="plain"):
        self.name, self.action, self.always, self.but = name, action, always, but or {}
        self.only, self.at, self.mode = only, at, mode


def is_upload(kind):
    return kind.name in ("PUT upload", "PATCH upload")


def is_put_upload(kind):
    return kind.name == "PUT upload"


def is_token(kind):
    return kind.auth


def not_token(kind):
    return not kind.auth


def is_first(kind):
    """Of an operation, where all of its requests fail alike."""
    return kind.name in ("HEAD blob", "GET index", "GET manifest", "GET blob", "GET range")


REFUSAL = "{\"errors\":[{\"code\":\"%s\",\"message\":\"%s\"}]}"


def status(number, code="", message="", headers=""):
    body = REFUSAL % (code, message) if code else ""
    return "status=%d %s body=\"%s\"" % (number, headers, body.replace('"', '\\"'))


# Who gets on by a part at each try has all of it in the end.
GETS_ON = {"GET blob": "ok", "GET range": "ok", "GET range, strict": "ok", "PATCH upload": "ok"}
# A chunk has arrived all the same, as the session says.
ARRIVED = {"PATCH upload": "ok"}
# A host that doesn't take chunks gets one body.
IN_ONE = {"PATCH upload": "ok"}
# What belongs to a blob is good, what comes behind it isn't taken. Of a document it's too much.
BEHIND = {"GET blob": "ok", "GET range": "ok", "GET range, strict": "ok",
          "GET manifest": "EFBIG", "GET index": "EFBIG"}
# A tag that isn't what was put is read, and is there.
FOUND_BY_GET = {"HEAD tag, read back": "ok"}
# The second try is told that the tag is there already (412), and it is there with these bytes.
THERE = {"PUT tag": "ok"}
FAULTS = [
    Fault("refused", "redirect=" + NOBODY, "ECONNREFUSED", only=lambda k: k.follows and not k.auth),
    Fault("refused", status(202, headers='header="Location: %s"' % NOBODY), "ECONNREFUSED",
          only=is_put_upload, at=("POST", "/blobs/uploads/")),
    Fault("no such host", "redirect=" + NO_HOST, "EHOSTUNREACH",
          only=lambda k: k.follows and not k.auth),
    Fault("no such host", status(202, headers='header="Location: %s"' % NO_HOST),
          "EHOSTUNREACH", only=is_put_upload, at=("POST", "/blobs/uploads/")),
    Fault("reset before", "reset-before", "EIO"),
    Fault("reset after", "reset-answer", "EIO", ARRIVED),
    Fault("reset within the body", "reset-after=BYTES", "EIO", GETS_ON,
          only=lambda k: k.receives or k.sends),
    Fault("stall", "stall", "ETIMEDOUT"),
    Fault("stall within the body", "stall-after=BYTES", "ETIMEDOUT", GETS_ON,
          only=lambda k: k.receives or k.sends),
    Fault("truncated", "truncate=BYTES", "EIO", GETS_ON, only=lambda k: k.receives),
    Fault("corrupted", "corrupt", "EIO", {"GET range": "poisoned"},
          only=lambda k: (k.receives or k.sends) and not k.auth),
    Fault("wrong digest header", "wrong-digest-header", "EIO", THERE,
          only=lambda k: k.document or k.name in ("PUT upload", "GET index", "GET manifest")),
    Fault("401", status(401, "UNAUTHORIZED", "authentication required"), "EACCES", only=not_token),
    Fault("401, expired token", "expire-tokens", "EACCES", mode="auth", only=not_token),
    Fault("401 of the token server", status(401, "UNAUTHORIZED", "wrong password"), "EACCES",
          only=is_token),
    Fault("403", status(403, "DENIED", "access denied"), "EACCES"),
    Fault("404", status(404, "MANIFEST_UNKNOWN", "unknown"), "ENOENT", FOUND_BY_GET,
          only=lambda k: not k.auth and (k.document or k.name == "POST upload" or
                                         k.receives and k.operation != "mount" or
                                         k.name == "HEAD tag, read back")),
    Fault("404 upload session", "drop-upload", "EIO", IN_ONE, only=is_upload),
    Fault("413", status(413, "SIZE_INVALID", "too large"), "EFBIG", only=lambda k: k.sends),
    Fault("416", status(416), "EIO", only=lambda k: k.operation == "read-large"),
    Fault("416", status(416, "BLOB_UPLOAD_INVALID", "range"), "EIO", IN_ONE,
          only=lambda k: k.name == "PATCH upload"),
    Fault("429", status(429, "TOOMANYREQUESTS", "slow down", 'header="Retry-After: 1"'), "EBUSY"),
    Fault("500", status(500, "UNKNOWN", "oh"), "EIO"),
    Fault("502", status(502, headers='header="Content-Type: text/html"'), "EIO"),
    Fault("503", status(503, "UNAVAILABLE", "later"), "EIO"),
    Fault("quota", status(403, "DENIED", "storage quota exceeded"), "EDQUOT", only=is_put_upload),
    Fault("200 for 206", "no-range", "ok", only=lambda k: k.operation == "read-large"),
    Fault("wrong Content-Range", "wrong-range", "ok",
          only=lambda k: k.operation == "read-large"),
    Fault("redirect to http", "redirect=http://127.0.0.1:1/", "EIO", mode="tls",
          only=lambda k: k.follows and not k.auth),
    Fault("the registry is away", "", "ECONNREFUSED", mode="away", only=is_first),
    Fault("redirect loop", "redirect-loop", "EIO"),
    Fault("header flood", "huge-headers", "EIO", ARRIVED),
    Fault("endless body", "endless-body", "EIO", BEHIND, only=lambda k: k.receives),
    Fault("a body of 5 GiB", "endless-body=5368709120", "EIO",
          {"GET index": "EFBIG", "GET manifest": "EFBIG"}, only=lambda k: k.receives),
]

# What doesn't succeed although it met the fault only once, and why.
EXCEPTIONS = {
    ("GET range", "corrupted"): (
        "poisoned", "a large blob is given out as it arrives: once all of it is here, and isn't "
        "what its digest says, some of it has been read"),
}


class Failed(Exception):
    pass


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry:
    """A registryd of its own, and what is in it, seen without the program under test."""

    def __init__(self, build, folder, mode):
        self.program = os.path.join(build, "tests/fixture/registryd")
        self.folder, self.mode, self.scheme, self.context = folder, mode, "http", None
        self.options = ["--root", os.path.join(folder, "root")]
        if mode == "auth":
            self.options += ["--auth", "bearer", "--quirk", "anonymous=pull,push"]
        if mode == "tls":
            self.make_certificate()
        self.errors = open(os.path.join(folder, "registryd.err"), "wb+")
        self.host = None
        self.start()

    def make_certificate(self):
        cert, key = os.path.join(self.folder, "cert"), os.path.join(self.folder, "key")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
             "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out",
             cert], check=True, stderr=subprocess.DEVNULL)
        self.options += ["--tls-cert", cert, "--tls-key", key]
        self.scheme, self.context = "https", ssl.create_default_context(cafile=cert)

    def mount_options(self):
        return "ca-file=" + os.path.join(self.folder, "cert") if self.context else ""

    def start(self):
        again = ["--port", self.host.split(":")[1]] if self.host else []
        self.process = subprocess.Popen(
            [self.program, *self.options, *again], stdout=subprocess.PIPE, stderr=self.errors,
            text=True)
        line = self.process.stdout.readline().split()
        if line[:1] != ["ready"]:
            raise Failed("registryd doesn't start")
        self.host = "127.0.0.1:" + line[1]

    def send(self, request):
        return urllib.request.urlopen(request, context=self.context)

    def fail(self, rule):
        """From now on, by a rule or by being away."""
        self.control("clear", rule) if self.mode != "away" else self.stop()

    def struck(self):
        """That a request met the fault: else the case shows nothing."""
        if self.mode == "away":
            return
        with self.send("%s://%s/_counts" % (self.scheme, self.host)) as answer:
            if not json.load(answer)["faults"]["requests"]:
                raise Failed("no request met the fault")

    def mend(self):
        if self.process.poll() is not None:
            self.start()
        self.control("clear")

    def control(self, *lines):
        request = urllib.request.Request(
            "%s://%s/_control" % (self.scheme, self.host), "\n".join(lines).encode(),
            method="POST")
        with self.send(request) as answer:
            answer.read()

    def ask(self, method, path, data=None, content_type=None):
        headers = {"Content-Type": content_type} if content_type else {}
        if self.mode == "auth":
            repository = path.split("/v2/", 1)[1].rsplit("/blobs/", 1)[0].rsplit("/manifests/", 1)[0]
            with self.send("http://%s/token?scope=repository:%s:pull,push"
                           % (self.host, repository)) as answer:
                headers["Authorization"] = "Bearer " + json.load(answer)["token"]
        url = "%s://%s%s" % (self.scheme, self.host, path)
        with self.send(urllib.request.Request(url, data, headers, method=method)) as answer:
            return answer.read(), answer.headers

    def put_blob(self, repository, data):
        self.ask("POST", "/v2/%s/blobs/uploads/?digest=%s" % (repository, digest_of(data)), data)
        return {"digest": digest_of(data), "size": len(data)}

    def put_manifest(self, repository, tag, document):
        data = json.dumps(document).encode()
        self.ask("PUT", "/v2/%s/manifests/%s" % (repository, tag or digest_of(data)), data,
                 document["mediaType"])
        return {"mediaType": document["mediaType"], "digest": digest_of(data), "size": len(data)}

    def publish(self, repository, data):
        """What a read finds: v1/linux-amd64/app."""
        config = {"mediaType": EMPTY, **self.put_blob(repository, b"{}")}
        layer = {"mediaType": "application/octet-stream", **self.put_blob(repository, data),
                 "annotations": {"org.opencontainers.image.title": "app"}}
        manifest = self.put_manifest(repository, None, {
            "schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/x",
            "config": config, "layers": [layer]})
        self.put_manifest(repository, "v1", {
            "schemaVersion": 2, "mediaType": INDEX,
            "manifests": [{**manifest, "platform": {"os": "linux", "architecture": "amd64"}}]})

    def fetch(self, repository, what, descriptor):
        data, _ = self.ask("GET", "/v2/%s/%s/%s" % (repository, what, descriptor["digest"]))
        if digest_of(data) != descriptor["digest"] or len(data) != descriptor["size"]:
            raise Failed("the registry has other bytes as %s" % descriptor["digest"])
        return data

    def holds(self, repository, data):
        """That the tag leads to exactly this file, every document by its digest."""
        index = json.loads(self.ask("GET", "/v2/%s/manifests/v1" % repository)[0])
        manifest = json.loads(self.fetch(repository, "manifests", index["manifests"][0]))
        self.fetch(repository, "blobs", manifest["config"])
        if self.fetch(repository, "blobs", manifest["layers"][0]) != data:
            raise Failed("the registry holds another file")

    def stop(self):
        if self.process.poll() is not None:
            return
        self.process.terminate()
        if self.process.wait(20) != 0:
            self.errors.seek(0)
            raise Failed("registryd: %s" % self.errors.read().decode(errors="replace"))


class Mount:
    def __init__(self, build, folder, source, options):
        self.options = options
        self.point = os.path.join(folder, "mount")
        self.log = open(os.path.join(folder, "log"), "ab+")
        self.folder, self.source, self.build, self.process = folder, source, build, None
        os.makedirs(self.point, exist_ok=True)

    def start(self):
        """True, or False where the program said why not (exit status 1)."""
        options = "state-dir=%s,cache-dir=%s,timeout=%d,retries=%d,%s" % (
            os.path.join(self.folder, "state"), os.path.join(self.folder, "cache"), TIMEOUT,
            RETRIES, self.options)
        options = options.rstrip(",")
        self.process = subprocess.Popen(
            [os.path.join(self.build, "indexfs"), self.source, self.point, "-f", "-o", options],
            stdout=self.log, stderr=self.log, stdin=subprocess.DEVNULL)
        end = time.monotonic() + 2 * LIMIT
        while not os.path.ismount(self.point):
            if self.process.poll() is not None:
                if self.process.returncode != 1 or "indexfs: " not in self.said():
                    raise Failed("the mount ended with %d: %s" % (self.process.returncode,
                                                                 self.said()))
                self.process = None
                return False
            if time.monotonic() > end:
                raise Failed("the mount neither answers nor ends")
            time.sleep(0.005)
        return True

    def abort(self):
        """Whoever waits in the mount gets an error."""
        if self.process:
            self.process.kill()

    def wait(self, seconds):
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self):
        if not self.process:
            return
        end = time.monotonic() + 5
        # Busy, for a moment, where another thread has just begun a program.
        while subprocess.run(["fusermount3", "-u", self.point], check=False,
                             stderr=subprocess.DEVNULL).returncode and time.monotonic() < end:
            time.sleep(0.02)
        code = self.wait(10)
        if code is None:
            # A mount namespace that was made meanwhile, by another test, holds the mount.
            self.process.terminate()
            code = self.wait(30)
        if code is None:
            subprocess.run(["fusermount3", "-uz", self.point], check=False)
            self.process.kill()
            self.process.wait()
            code = "a kill"
        self.process = None
        if code != 0:
            raise Failed("the daemon ended with %s: %s" % (code, self.said()))

    def said(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def path(self, *parts):
        return os.path.join(self.point, *parts)


def attempt(call):
    """("ok" or the name of the errno, seconds)"""
    begun = time.monotonic()
    try:
        call()
        result = "ok"
    except OSError as error:
        result = errno.errorcode.get(error.errno, str(error.errno))
    return result, time.monotonic() - begun


def fsync(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)


def read(path):
    with open(path, "rb") as file:
        return file.read()


def read_uncached(path):
    """Asks for every page, whatever the kernel has of it."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
        while os.read(fd, 1 << 20):
            pass
    finally:
        os.close(fd)


class Case:
    def __init__(self, number, kind, fault, times):
        self.number, self.kind, self.fault, self.times = number, kind, fault, times
        self.name = "%s / %s / %s" % (kind.name, fault.name, times)

    @property
    def exception(self):
        """(outcome, reason), or None."""
        return EXCEPTIONS.get((self.kind.name, self.fault.name)) if self.times == "once" else None

    @property
    def outcome(self):
        """ "ok", an errno, or "poisoned": right bytes at first; once all of it is here, EIO."""
        if self.times == "always":
            return self.fault.but.get(self.kind.name, self.fault.always)
        return self.exception[0] if self.exception else "ok"

    @property
    def sticks(self):
        """Whether it outlasts the fault, as long as the mount lives: bad content of a blob."""
        return self.fault.name == "corrupted" and self.kind.blob and self.outcome != "ok"

    @property
    def action(self):
        """BYTES is some way into a body of this kind."""
        return self.fault.action.replace("BYTES", self.kind.within)

    def rule(self, repository):
        method, path = self.fault.at or (self.kind.method, self.kind.path)
        if not path.startswith("^"):
            path = "/v2/%s%s" % (repository, path)
        when = "%d%s" % (self.kind.first, "" if self.times == "once" else "-")
        return "fault %s %s %s %s" % (method, path, when, self.action)


SMALL = bytes(range(256)) * 80
LARGE_READ = os.urandom(12 << 20)
LARGE_WRITE = os.urandom(1 << 20) * 66


class Run:
    """One case."""

    def __init__(self, case, build, registry, folder):
        self.case, self.registry = case, registry
        self.repository = "case/n%d" % case.number
        self.source = "%s/%s:v1" % (registry.host, self.repository)
        options = ",".join(filter(None, [registry.mount_options(), case.kind.options]))
        self.mount = Mount(build, folder, self.source, options)
        self.data = SMALL

    def expect(self, what, expected, got, seconds):
        if got != expected:
            raise Failed("%s: %s instead of %s\n%s" % (what, got, expected,
                                                       self.mount.said()[-1500:]))
        if seconds > LIMIT:
            raise Failed("%s took %.1f s" % (what, seconds))

    def try_it(self, what, expected, call):
        self.expect(what, expected, *attempt(call))

    def publish(self):
        if self.case.kind.operation == "publish-large":
            self.data = LARGE_WRITE
        if not self.mount.start():
            raise Failed("the mount fails: " + self.mount.said())
        self.registry.fail(self.case.rule(self.repository))
        folder = self.mount.path("linux-amd64")
        file = os.path.join(folder, "app")
        os.mkdir(folder)
        write(file, self.data)
        self.try_it("fsync with the fault", self.case.outcome, lambda: fsync(self.mount.point))
        self.registry.struck()
        if self.case.outcome != "ok":
            if read(file) != self.data:
                raise Failed("what was staged has changed")
            self.registry.mend()
            self.try_it("fsync after the fault", "ok", lambda: fsync(self.mount.point))
        self.registry.mend()
        self.registry.holds(self.repository, self.data)
        if read(file) != self.data:
            raise Failed("the file reads otherwise than it was written")

    def mounting(self):
        """Which errno it is, a mount only says in words."""
        self.registry.publish(self.repository, self.data)
        self.registry.fail(self.case.rule(self.repository))
        begun = time.monotonic()
        mounted = self.mount.start()
        seconds = time.monotonic() - begun
        self.expect("mounting", self.case.outcome == "ok", mounted, seconds)
        self.registry.struck()
        self.registry.mend()
        if not mounted and not self.mount.start():
            raise Failed("it doesn't mount without the fault: " + self.mount.said()[-1500:])
        if read(self.mount.path("linux-amd64", "app")) != self.data:
            raise Failed("the file reads otherwise than it was published")

    def reading(self):
        if self.case.kind.operation == "read-large":
            self.data = LARGE_READ
        self.registry.publish(self.repository, self.data)
        if not self.mount.start():
            raise Failed("the mount fails: " + self.mount.said())
        folder = self.mount.path("linux-amd64")
        file = os.path.join(folder, "app")
        if self.case.kind.operation == "list":
            call = lambda: os.listdir(folder)
        else:
            os.stat(file)
            call = lambda: self.same(file)
        self.registry.fail(self.case.rule(self.repository))
        if self.case.outcome == "poisoned":
            self.try_it("with the fault, for whom it doesn't concern", "ok", call)
            self.poisoned(file)
        else:
            self.try_it("with the fault", self.case.outcome, call)
        self.registry.struck()
        self.registry.mend()
        if self.case.sticks:
            self.try_it("after bad content", "EIO", lambda: read_uncached(file))
            self.mount.stop()
            self.mount.start()
        self.try_it("after the fault", "ok", call)
        if read(file) != self.data:
            raise Failed("the file reads otherwise than it was published")

    def poisoned(self, file):
        """It is found out as soon as all of it is here, beside the one who reads."""
        end = time.monotonic() + LIMIT
        while attempt(lambda: read_uncached(file))[0] != "EIO":
            if time.monotonic() > end:
                raise Failed("a blob that isn't what its digest says is given out for ever")

    def same(self, file):
        """A small file, or a piece from the middle of a large one."""
        if len(self.data) == len(SMALL):
            wanted, got = self.data, read(file)
        else:
            fd = os.open(file, os.O_RDONLY)
            try:
                got, wanted = os.pread(fd, 4096, 7 << 20), self.data[7 << 20:(7 << 20) + 4096]
            finally:
                os.close(fd)
        if got != wanted:
            raise Failed("wrong bytes were given out")

    def run(self):
        operation = {"publish": self.publish, "publish-large": self.publish,
                     "mount": self.mounting, "list": self.reading, "read": self.reading,
                     "read-large": self.reading}[self.case.kind.operation]
        watchdog = threading.Timer(4 * LIMIT, self.mount.abort)
        watchdog.start()
        try:
            operation()
        except (OSError, urllib.error.URLError) as error:
            raise Failed("%r\n%s" % (error, self.mount.said()[-1500:])) from error
        finally:
            watchdog.cancel()
            self.mount.stop()


def all_cases():
    number = 0
    for kind in KINDS:
        for fault in FAULTS:
            if not fault.only(kind):
                continue
            for times in ("once", "always") if fault.action else ("always",):
                number += 1
                yield Case(number, kind, fault, times)


class Worker(threading.Thread):
    def __init__(self, build, folder, cases, results):
        super().__init__(daemon=True)
        self.build, self.folder, self.cases, self.results = build, folder, cases, results
        os.makedirs(folder)
        self.registries = {}
        self.mount = None

    def abort(self):
        """Leaves no process and no mount, when all is to end."""
        if self.mount:
            self.mount.abort()
            subprocess.run(["fusermount3", "-uz", self.mount.point], check=False,
                           stderr=subprocess.DEVNULL)
        for registry in self.registries.values():
            registry.process.kill()

    def registry(self, mode):
        if mode not in self.registries:
            folder = os.path.join(self.folder, "registry-" + mode)
            os.makedirs(folder)
            self.registries[mode] = Registry(self.build, folder, mode)
        return self.registries[mode]

    def one(self, case):
        folder = os.path.join(self.folder, "case")
        os.makedirs(folder)
        begun = time.monotonic()
        why = None
        try:
            mode = "auth" if case.kind.auth else case.fault.mode
            run = Run(case, self.build, self.registry(mode), folder)
            self.mount = run.mount
            run.run()
        except Failed as error:
            why = str(error)
        except Exception as error:  # pylint: disable=broad-except # a case must not end the others
            why = repr(error)
        shutil.rmtree(folder, ignore_errors=True)
        seconds = time.monotonic() - begun
        if not why and seconds > 3 * LIMIT:
            why = "all in all it took %.0f s" % seconds
        self.results.put((case, why, seconds))

    def run(self):
        while True:
            try:
                self.one(self.cases.get_nowait())
            except queue.Empty:
                break
        for registry in self.registries.values():
            try:
                registry.stop()
            except Failed as error:
                self.results.put((None, str(error), 0))


def told(result, verbose):
    """Prints it; 1 where it has failed."""
    case, why, seconds = result
    if why:
        print("FAILED: %5.1f s  %s: %s" % (seconds, case.name if case else "at the end", why),
              flush=True)
    elif verbose:
        print("ok      %5.1f s  %s" % (seconds, case.name), flush=True)
    return bool(why)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--filter", default="")
    parser.add_argument("--part", default="1/1", help="every Nth case, from the Ith on")
    parser.add_argument("--jobs", type=int, default=8)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    chosen = [case for case in all_cases()
              if re.search(options.filter, case.name) and case.number % parts == part % parts]
    # Those that wait longest first, so that none is left alone at the end.
    chosen.sort(key=lambda case: ("stall" in case.fault.name) + (case.times == "always"),
                reverse=True)
    cases, results = queue.Queue(), queue.Queue()
    for case in chosen:
        cases.put(case)
    folder = tempfile.mkdtemp(prefix="indexfs-faults.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    begun = time.monotonic()
    workers = [Worker(os.path.abspath(options.build), os.path.join(folder, str(i)), cases, results)
               for i in range(options.jobs)]
    for worker in workers:
        worker.start()
    try:
        failed = sum(told(results.get(), options.verbose) for _ in chosen)
        for worker in workers:
            worker.join()
    except BaseException:
        with cases.mutex:
            cases.queue.clear()
        for worker in workers:
            worker.abort()
        shutil.rmtree(folder, ignore_errors=True)
        raise
    while not results.empty():
        failed += told(results.get(), options.verbose)
    shutil.rmtree(folder, ignore_errors=True)
    for case in chosen:
        if case.exception:
            print("exception: %s: %s: %s" % (case.name, *case.exception))
    once = sum(case.times == "once" for case in chosen)
    print("%d cases: %d once, %d always, %d failed, %.0f s"
          % (len(chosen), once, len(chosen) - once, failed, time.monotonic() - begun))
    sys.exit(1 if failed or not chosen else 0)


main()
