"""Stores as another client sees them, without the program under test: what a tag names, all of it,
each document and blob checked against its digest and size.
"""
import contextlib
import fcntl
import hashlib
import json
import os
import subprocess
import time
import urllib.error
import urllib.request

TITLE = "org.opencontainers.image.title"
MODE = "dev.indexfs.mode"
REF_NAME = "org.opencontainers.image.ref.name"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"


class Damaged(Exception):
    """A tag leads to something that is missing or isn't what its descriptor says."""


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def check(data, descriptor):
    if data is None:
        raise Damaged(f"{descriptor['digest']} is missing")
    if len(data) != descriptor["size"] or digest_of(data) != descriptor["digest"]:
        raise Damaged(f"{descriptor['digest']} has other bytes")
    return data


class Layout:
    """A folder in the form of an OCI image layout, which is there once it is written to."""

    def __init__(self, path):
        self.path = path

    def index(self):
        try:
            with open(os.path.join(self.path, "index.json"), "rb") as file:
                return json.load(file)
        except FileNotFoundError:
            return {"manifests": []}

    @staticmethod
    def named(index, name):
        found = [entry for entry in index["manifests"]
                 if entry.get("annotations", {}).get(REF_NAME) == name]
        if len(found) > 1:
            raise Damaged(f"{name} stands twice in index.json")
        return found[0] if found else None

    def tag(self, name):
        entry = self.named(self.index(), name)
        return check(self.document(entry["digest"]), entry) if entry else None

    def blob(self, digest):
        try:
            with open(os.path.join(self.path, "blobs", *digest.split(":")), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    document = blob

    def referrers(self, digest):
        """The descriptors of what has it for its subject."""
        entries = self.index()["manifests"]
        subjects = [json.loads(self.document(entry["digest"])).get("subject", {})
                    for entry in entries]
        return [entry for entry, subject in zip(entries, subjects)
                if subject.get("digest") == digest]

    def write(self, path, data):
        """All of it at once."""
        path = os.path.join(self.path, path)
        with open(path + ".other", "wb") as file:
            file.write(data)
        os.rename(path + ".other", path)

    @contextlib.contextmanager
    def locked(self):
        folder = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX)
            yield
        finally:
            os.close(folder)

    def put_blob(self, data):
        self.write(os.path.join("blobs", *digest_of(data).split(":")), data)
        return {"digest": digest_of(data), "size": len(data)}

    def put_document(self, document, tag=None, **style):
        """style: of json.dumps()."""
        blob = self.put_blob(json.dumps(document, **style).encode())
        entry = {"mediaType": document["mediaType"], **blob}
        if tag:
            with self.locked():
                self.point(tag, entry)
        return entry

    def point(self, tag, to):
        index = self.index()
        entry = self.named(index, tag)
        if entry is None:
            entry = {"annotations": {REF_NAME: tag}}
            index["manifests"].append(entry)
        entry.update(to)
        self.write("index.json", json.dumps(index).encode())


class SkopeoFolder:
    """What `skopeo copy --all docker://... dir:PATH` made; the index is from inspect --raw."""

    def __init__(self, path, root):
        self.path, self.root = path, root

    def tag(self, _):
        return self.root

    def read(self, name):
        try:
            with open(os.path.join(self.path, name), "rb") as file:
                return file.read()
        except FileNotFoundError:
            return None

    def blob(self, digest):
        return self.read(digest.split(":")[1])

    def document(self, digest):
        return self.read(digest.split(":")[1] + ".manifest.json")


class Repository:
    """Of a registry that answers without TLS and without a password."""

    def __init__(self, host, name):
        self.host, self.name = host, name

    def ask(self, method, path, data=None, **headers):
        url = path if path.startswith("http") else f"http://{self.host}/v2/{self.name}/{path}"
        request = urllib.request.Request(url, data, headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.read(), answer.headers
        except urllib.error.HTTPError as error:
            with error:
                if error.code == 404:
                    return None, None
                raise

    def manifest(self, reference):
        return self.ask("GET", f"manifests/{reference}", Accept=f"{INDEX}, {MANIFEST}")[0]

    tag = document = manifest

    def blob(self, digest):
        return self.ask("GET", f"blobs/{digest}")[0]

    def referrers(self, digest):
        """Of a registry without the Referrers API, as the tag of the tag schema says."""
        found = self.ask("GET", f"referrers/{digest}")[0] or \
            self.manifest(digest.replace(":", "-"))
        return json.loads(found)["manifests"] if found else []

    def put_blob(self, data):
        _, headers = self.ask("POST", "blobs/uploads/", b"")
        place = headers["Location"]
        place = place if place.startswith("http") else f"http://{self.host}{place}"
        self.ask("PUT", f"{place}{'&' if '?' in place else '?'}digest={digest_of(data)}", data,
                 **{"Content-Type": "application/octet-stream"})
        return {"digest": digest_of(data), "size": len(data)}

    def put_document(self, document, tag=None, **style):
        """style: of json.dumps()."""
        data = json.dumps(document, **style).encode()
        self.ask("PUT", f"manifests/{tag or digest_of(data)}", data,
                 **{"Content-Type": document["mediaType"]})
        return {"mediaType": document["mediaType"], "digest": digest_of(data), "size": len(data)}


def escape(field):
    return "".join(f"%{ord(c):02X}" if c in "/%@+-" or ord(c) < 32 else c for c in field)


def platform_name(platform):
    if not platform:
        return "any"
    name = "-".join(escape(platform[key]) for key in ("os", "architecture", "variant")
                    if platform.get(key))
    if platform.get("os.version"):
        name += "@" + escape(platform["os.version"])
    return name + "".join("+" + escape(feature) for feature in platform.get("os.features", []))


def published_layer(store, layer):
    data = check(store.blob(layer["digest"]), layer)
    notes = dict(layer.get("annotations", {}))
    title, mode = notes.pop(TITLE), notes.pop(MODE, None)
    state = ("file", len(data), layer["digest"].split(":")[1], mode is not None)
    return title, {"state": state, "annotations": notes}


def published_folder(store, entry):
    manifest = json.loads(check(store.document(entry["digest"]), entry))
    if manifest["config"]["mediaType"] == EMPTY and not manifest.get("artifactType"):
        raise Damaged(f"{entry['digest']}: an empty config and no artifactType")
    if entry.get("artifactType", manifest.get("artifactType")) != manifest.get("artifactType"):
        raise Damaged(f"{entry['digest']}: the entry's artifactType is another")
    check(store.blob(manifest["config"]["digest"]), manifest["config"])
    layers = [published_layer(store, layer) for layer in manifest["layers"]]
    if len(dict(layers)) != len(layers):
        raise Damaged(f"{entry['digest']}: a title twice")
    return {"$descriptor": entry.get("annotations", {}),
            "$manifest": manifest.get("annotations", {}),
            "$config": manifest["config"].get("annotations", {}), "layers": dict(layers),
            **published_parts(manifest)}


def published_parts(document):
    return {"artifactType": document.get("artifactType"),
            "subject": document.get("subject", {}).get("digest")}


def published(store, tag):
    """All that the tag names, in the form of TagModel.published(). Damaged; None: no such tag."""
    root = store.tag(tag)
    if root is None:
        return None
    index = json.loads(root)
    folders = [(platform_name(entry.get("platform")), published_folder(store, entry))
               for entry in index["manifests"]]
    if len(dict(folders)) != len(folders):
        raise Damaged("a platform twice")
    return {"annotations": index.get("annotations", {}), "folders": dict(folders),
            **published_parts(index)}


def subjects(store, tag):
    """The digests of what can be attached to, by the name of the folder; "": the index."""
    root = store.tag(tag)
    entries = json.loads(root)["manifests"] if root else []
    return {**({"": digest_of(root)} if root else {}),
            **{platform_name(entry.get("platform")): entry["digest"] for entry in entries}}


def attached(store, subject, kinds):
    """Digest -> (kind, the states of the files), of what of these kinds is attached to a digest."""
    found = {}
    for entry in store.referrers(subject):
        manifest = json.loads(check(store.document(entry["digest"]), entry))
        if manifest["subject"]["digest"] != subject:
            raise Damaged(f"{entry['digest']} isn't attached to {subject}")
        kind = manifest.get("artifactType", "").replace("/", ".", 1)
        if kind in kinds:
            layers = published_folder(store, entry)["layers"]
            found[entry["digest"]] = (
                kind, {title: layer["state"] for title, layer in layers.items()})
    return found


def pull(source, tag, folder):
    """The same as seen by skopeo. source: "docker://HOST/REPOSITORY" or "oci:PATH"."""
    tls = ["--tls-verify=false"] if source.startswith("docker:") else []
    inspect = subprocess.run(["skopeo", "inspect", "--raw", *tls, f"{source}:{tag}"],
                             stdout=subprocess.PIPE, check=True)
    source_tls = [option.replace("--", "--src-") for option in tls]
    subprocess.run(["skopeo", "copy", "--quiet", "--all", *source_tls, f"{source}:{tag}",
                    f"dir:{folder}"], check=True)
    return published(SkopeoFolder(folder, inspect.stdout), tag)


class Server:
    """A registry on a free port of the loopback, in a folder of its own."""

    def __init__(self, folder, *command, **streams):
        self.folder, self.host = folder, None
        self.errors = open(os.path.join(folder, "errors"), "wb+")
        self.process = subprocess.Popen(command, stderr=self.errors, **streams)

    def stop(self):
        self.process.terminate()
        self.process.wait(60)
        self.errors.close()


def open_files(pid):
    """What a process has open; it may close some of it while we look."""
    folder = f"/proc/{pid}/fd"
    for fd in os.listdir(folder):
        with contextlib.suppress(FileNotFoundError):
            yield os.readlink(os.path.join(folder, fd))


def listening_port(pid):
    """The port of the loopback that a process listens on; None before it does."""
    names = open_files(pid)
    inodes = {name[8:-1] for name in names if name.startswith("socket:[")}
    with open("/proc/net/tcp", encoding="ascii") as file:
        rows = [line.split() for line in file]
    ports = [int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in inodes]
    return ports[0] if ports else None


class Distribution(Server):
    """Debian's docker-registry."""

    def __init__(self, folder):
        os.makedirs(folder)
        config = os.path.join(folder, "config.yml")
        with open(config, "w", encoding="ascii") as file:
            file.write("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
                       f"storage: {{filesystem: {{rootdirectory: {folder}/data}}}}\n"
                       "http: {addr: '127.0.0.1:0', secret: test}\n")
        super().__init__(folder, "docker-registry", "serve", config, stdout=subprocess.DEVNULL)
        while (port := listening_port(self.process.pid)) is None:
            time.sleep(0.01)
        self.host = f"127.0.0.1:{port}"


class Fixture(Server):
    """The registry of the tests, tests/fixture/registryd."""

    def __init__(self, folder, build, *options):
        os.makedirs(folder)
        super().__init__(folder, os.path.join(build, "tests/fixture/registryd"), "--root",
                         os.path.join(folder, "root"), *options, stdout=subprocess.PIPE)
        self.host = "127.0.0.1:" + self.process.stdout.readline().decode().split()[1]

    def stop(self):
        super().stop()
        with open(self.errors.name, encoding="utf-8") as errors:
            said = errors.read()
        if said or self.process.returncode != 0:
            raise Damaged(f"registryd ended with {self.process.returncode}: {said}")
