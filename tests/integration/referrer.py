#!/usr/bin/env python3
"""Attaches as another client does, with no code of this program: an artifact whose subject is given.

    referrer.py HOST/REPOSITORY SUBJECT TYPE TITLE TEXT [KEY=VALUE]...

TYPE is its artifactType, "-" for none. Where the registry has no Referrers API, the index at the tag
of the referrers tag schema is read, added to, and written. Prints the artifact's digest.
"""
import hashlib
import json
import sys
import urllib.error
import urllib.parse
import urllib.request

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def descriptor(media_type, data):
    return {"mediaType": media_type, "digest": digest_of(data), "size": len(data)}


class Repository:
    def __init__(self, name):
        self.host, self.name = name.split("/", 1)

    def ask(self, method, url, data=None, **headers):
        url = urllib.parse.urljoin(f"http://{self.host}/v2/{self.name}/", url)
        headers = {key.replace("_", "-"): value for key, value in headers.items()}
        return urllib.request.urlopen(urllib.request.Request(url, data, headers, method=method))

    def get(self, reference):
        with self.ask("GET", f"manifests/{reference}", Accept=f"{INDEX}, {MANIFEST}") as answer:
            return answer.headers["Content-Type"], answer.read()

    def put(self, reference, media_type, data):
        return self.ask("PUT", f"manifests/{reference}", data, Content_Type=media_type)

    def put_blob(self, media_type, data):
        place = self.ask("POST", "blobs/uploads/", b"").headers["Location"]
        place += ("&" if "?" in place else "?") + "digest=" + digest_of(data)
        self.ask("PUT", place, data, Content_Type="application/octet-stream")
        return descriptor(media_type, data)


def add_to_list(repository, subject, entry):
    tag = subject.replace(":", "-")
    try:
        index = json.loads(repository.get(tag)[1])
    except urllib.error.HTTPError:
        index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": []}
    index["manifests"].append(entry)
    repository.put(tag, INDEX, json.dumps(index).encode())


def main(name, subject, artifact_type, title, text, *notes):
    repository = Repository(name)
    layer = repository.put_blob("text/plain", text.encode())
    layer["annotations"] = {"org.opencontainers.image.title": title}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": artifact_type,
                "config": repository.put_blob(EMPTY, b"{}"), "layers": [layer],
                "subject": descriptor(*repository.get(subject)),
                "annotations": dict(note.split("=", 1) for note in notes)}
    if artifact_type == "-":
        del manifest["artifactType"]
        manifest["config"]["mediaType"] = "application/vnd.example.config"
    data = json.dumps(manifest, indent=1).encode()
    answer = repository.put(digest_of(data), MANIFEST, data)
    if not answer.headers["OCI-Subject"]:
        entry = descriptor(MANIFEST, data)
        entry["artifactType"] = manifest.get("artifactType", manifest["config"]["mediaType"])
        entry["annotations"] = manifest["annotations"]
        add_to_list(repository, subject, entry)
    print(digest_of(data))


main(*sys.argv[1:])
