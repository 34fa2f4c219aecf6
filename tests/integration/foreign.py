"""OCI image layouts that other tools might have made: written by hand, byte for byte.

    layout = Layout("folder")
    layer = layout.blob(b"content", title="share/doc/README")
    manifest = layout.manifest([layer])
    layout.tag("v1", layout.index([entry(manifest, os="linux", architecture="amd64")]))

Everything that is put there is a descriptor; a document may be given as text, with a spacing and an
order of members of its own.
"""
import hashlib
import json
import os

INDEX = "application/vnd.oci.image.index.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
EMPTY = "application/vnd.oci.empty.v1+json"
OCTETS = "application/octet-stream"
TITLE = "org.opencontainers.image.title"
REF_NAME = "org.opencontainers.image.ref.name"


def entry(descriptor, annotations=None, **platform):
    """A descriptor as it stands in an index; os_version is "os.version"."""
    result = dict(descriptor)
    if platform:
        result["platform"] = {key.replace("_", "."): value for key, value in platform.items()}
    if annotations:
        result["annotations"] = annotations
    return result


class Layout:
    def __init__(self, path):
        self.path = path
        self.tags = []
        os.makedirs(os.path.join(path, "blobs", "sha256"), exist_ok=True)
        with open(os.path.join(path, "oci-layout"), "w", encoding="utf-8") as file:
            file.write('{"imageLayoutVersion": "1.0.0"}')

    def put(self, media_type, data):
        data = data.encode() if isinstance(data, str) else data
        encoded = hashlib.sha256(data).hexdigest()
        with open(os.path.join(self.path, "blobs", "sha256", encoded), "wb") as file:
            file.write(data)
        return {"mediaType": media_type, "digest": "sha256:" + encoded, "size": len(data)}

    def blob(self, data, title=None, media_type=OCTETS, **annotations):
        layer = self.put(media_type, data)
        if title is not None:
            annotations[TITLE] = title
        if annotations:
            layer["annotations"] = annotations
        return layer

    def manifest(self, layers, config=None, **members):
        return self.put(MANIFEST, json.dumps({
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "artifactType": "application/vnd.example.app",
            "config": config or self.put(EMPTY, "{}"),
            "layers": layers,
            **members,
        }))

    def index(self, entries, **members):
        document = {"schemaVersion": 2, "mediaType": INDEX, "manifests": entries, **members}
        return self.put(INDEX, json.dumps(document))

    def tag(self, name, descriptor):
        self.tags.append({**descriptor, "annotations": {REF_NAME: name}})
        with open(os.path.join(self.path, "index.json"), "w", encoding="utf-8") as file:
            json.dump({"schemaVersion": 2, "manifests": self.tags}, file)
