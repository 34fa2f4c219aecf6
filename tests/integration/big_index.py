#!/usr/bin/env python3
"""An index of many entries as other tools may have written it, pushed to a registry on the loopback.

    big_index.py URL TAG ENTRIES FOLDER

URL is http://HOST:PORT/v2/REPOSITORY. Every entry has a spacing and an order of members of its own,
unknown members, escapes; among them are second entries of a platform, attestations and nested
indexes. FOLDER/before gets the index; FOLDER/after the same with one annotation of one entry changed
from "old" to "new", byte for byte, and FOLDER/name the name of that entry's folder.
"""
import hashlib
import http.client
import json
import os
import random
import sys
import urllib.parse

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
KEY = "org.example.changes"


class Registry:
    def __init__(self, url):
        parts = urllib.parse.urlsplit(url)
        self.path = parts.path
        self.connection = http.client.HTTPConnection(parts.netloc)

    def ask(self, method, path, body=b"", **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.connection.request(method, path, body, headers)
        answer = self.connection.getresponse()
        answer.read()
        assert answer.status in (201, 202), (method, path, answer.status)
        return answer

    def blob(self, data):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        where = self.ask("POST", self.path + "/blobs/uploads/").headers["Location"]
        parts = urllib.parse.urlsplit(where)
        query = parts.query + ("&" if parts.query else "") + "digest=" + digest
        self.ask("PUT", parts.path + "?" + query, data, Content_Type="application/octet-stream")
        return {"mediaType": "application/octet-stream", "digest": digest, "size": len(data)}

    def document(self, media_type, data, reference=None):
        digest = "sha256:" + hashlib.sha256(data).hexdigest()
        self.ask("PUT", f"{self.path}/manifests/{reference or digest}", data, Content_Type=media_type)
        return {"mediaType": media_type, "digest": digest, "size": len(data)}


def spaced(value, odd):
    """JSON with white space wherever it may stand."""
    space = lambda: odd.choice(["", "", "", " ", "  ", "\n", "\t"])
    if isinstance(value, dict):
        items = [json.dumps(key, ensure_ascii=odd.random() < 0.5) + space() + ":" + space() + spaced(item, odd)
                 for key, item in value.items()]
        return "{" + space() + (space() + "," + space()).join(items) + space() + "}"
    if isinstance(value, list):
        return "[" + space() + (space() + "," + space()).join(spaced(item, odd) for item in value) + space() + "]"
    return json.dumps(value, ensure_ascii=odd.random() < 0.5)


def shuffled(value, odd):
    items = list(value.items())
    odd.shuffle(items)
    return dict(items)


def entry(n, documents, nested, odd):
    kind = n % 20
    result = dict(nested[n % len(nested)] if kind == 7 else documents[n % len(documents)])
    if kind == 8:  # an attestation
        result["platform"] = {"os": "unknown", "architecture": "unknown"}
        result["annotations"] = {"vnd.docker.reference.type": "attestation-manifest"}
    elif kind != 7:
        # one of twenty is the second entry of a platform
        result["platform"] = shuffled({"os": "linux", "architecture": "amd64",
            "os.version": str(n - (kind == 10))}, odd)
    if kind == 5:
        result["x-unknown"] = odd.choice([None, 2.50, [1, {"a": True}], "café/\u2028"])
    if kind == 6:
        result["annotations"] = {"org.example.n": str(n), "org.example.empty": ""}
    return result


def main():
    url, tag, count, folder = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
    odd = random.Random(20260101)
    registry = Registry(url)
    config = {**registry.blob(b"{}"), "mediaType": "application/vnd.oci.empty.v1+json"}
    documents = []
    for n in range(50):
        layer = {**registry.blob(b"%d" % n), "annotations": {"org.opencontainers.image.title": "app"}}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.example",
            "config": config, "layers": [layer]}
        documents.append(registry.document(MANIFEST, json.dumps(manifest).encode()))
    nested = []
    for n in range(5):
        inner = {"schemaVersion": 2, "mediaType": INDEX, "manifests": documents[n:n + 2]}
        nested.append(registry.document(INDEX, json.dumps(inner).encode()))

    entries = [entry(n, documents, nested, odd) for n in range(count)]
    changed = count // 2 + 1
    entries[changed] = {**documents[1], "annotations": {"org.example.a": "1", KEY: "CHANGES", "org.example.z": "2"},
        "platform": {"os": "linux", "architecture": "amd64", "os.version": "changes"}}
    texts = [spaced(shuffled(item, odd), odd) for item in entries]
    text = '{"x-first": [1.0 , 2] ,"manifests":[' + " ,\n ".join(texts) + '],\n"schemaVersion":2,"mediaType":"%s"' \
        ', "annotations":{"org.example.of":"many"} }\n' % INDEX
    before, after = (text.replace('"CHANGES"', value).encode() for value in ('"old"', '"new"'))
    assert before != after and len(before) <= 4 << 20, len(before)
    registry.document(INDEX, before, tag)
    for name, data in ("before", before), ("after", after), ("name", b"linux-amd64@changes\n"):
        with open(os.path.join(folder, name), "wb") as file:
            file.write(data)


main()
