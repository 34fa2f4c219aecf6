#!/usr/bin/env python3
"""Whether a mounted tag shows what another client pulled: agree.py MOUNT PULLED [CONTROL]

PULLED is what `skopeo copy --all --preserve-digests SOURCE dir:PULLED` made; CONTROL is where each
folder's .oci/manifest.json is looked for (default MOUNT). Compared both ways: the folders, the
files in them, sizes, content by digest, the execute bit, every annotation, the documents in .oci.
What was pulled must also be well-formed by the image-spec. The naming rules are written here a
second time, on purpose: a test that asked the program for them would agree with every mistake.
"""
import hashlib
import json
import os
import stat
import sys

TITLE = "org.opencontainers.image.title"
MODE = "dev.indexfs.mode"
INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
EMPTY = "application/vnd.oci.empty.v1+json"
SUFFIXES = {
    "application/vnd.oci.image.layer.v1.tar+gzip": ".tar.gz",
    "application/vnd.oci.image.layer.v1.tar+zstd": ".tar.zst",
    "application/vnd.oci.image.layer.v1.tar": ".tar",
    "application/json": ".json",
}
problems = []


def problem(text):
    problems.append(text)


def same(what, documents, mount):
    if documents != mount:
        problem(f"{what}\n    in the registry: {documents!r}\n    in the mount:    {mount!r}")


def sha256_file(path):
    hasher = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(1 << 20):
            hasher.update(block)
    return hasher.hexdigest()


def escape(field):
    special = "/%@+-"
    return "".join(f"%{ord(c):02X}" if c in special or ord(c) < 32 else c for c in field)


def platform_name(platform):
    if not platform:
        return "any"
    name = "-".join(
        escape(platform[key]) for key in ("os", "architecture", "variant") if platform.get(key)
    )
    if platform.get("os.version"):
        name += "@" + escape(platform["os.version"])
    return name + "".join("+" + escape(feature) for feature in platform.get("os.features", []))


def folder_names(entries):
    names = []
    for entry in entries:
        name = platform_name(entry.get("platform"))
        if name in names or name.startswith("unknown-unknown"):
            name += "~" + entry["digest"].split(":")[1][:12]
        names.append(name)
    return names


def layer_name(layer):
    title = layer.get("annotations", {}).get(TITLE)
    if title:
        return title
    return "sha256-" + layer["digest"].split(":")[1][:12] + SUFFIXES.get(layer["mediaType"], "")


class Pulled:
    """The folder that skopeo made; everything read from it is checked against its descriptor."""

    def __init__(self, path):
        self.path = path
        with open(os.path.join(path, "manifest.json"), "rb") as file:
            self.root_bytes = file.read()
        self.root = json.loads(self.root_bytes)

    def is_index(self):
        return self.root.get("mediaType") in INDEX_TYPES or "manifests" in self.root

    def document(self, descriptor):
        encoded = descriptor["digest"].split(":")[1]
        with open(os.path.join(self.path, encoded + ".manifest.json"), "rb") as file:
            data = file.read()
        same(f"size of {encoded}", descriptor["size"], len(data))
        same(f"digest of {encoded}", encoded, hashlib.sha256(data).hexdigest())
        document = json.loads(data)
        same(f"media type of {encoded}", descriptor["mediaType"],
            document.get("mediaType", descriptor["mediaType"]))
        return document

    def blob(self, descriptor):
        path = os.path.join(self.path, descriptor["digest"].split(":")[1])
        same(f"size of blob {path}", descriptor["size"], os.stat(path).st_size)
        return path


def check_manifest(name, manifest):
    """image-spec manifest.md: what a manifest MUST have."""
    same(f"{name}: schemaVersion", 2, manifest.get("schemaVersion"))
    if manifest["config"]["mediaType"] == EMPTY and not manifest.get("artifactType"):
        problem(f"{name}: an empty config without artifactType")
    if not manifest["layers"]:
        problem(f"{name}: no layers")
    titles = [layer_name(layer) for layer in manifest["layers"]]
    if len(titles) != len(set(titles)):
        problem(f"{name}: a title twice: {titles}")


def walk(folder):
    """Path -> stat of each file, empty folders apart; not annotations.json of the folder itself."""
    files = {}
    for parent, folders, names in os.walk(folder):
        for name in names:
            path = os.path.relpath(os.path.join(parent, name), folder)
            if path != "annotations.json":
                files[path] = os.stat(os.path.join(parent, name))
        if ".oci" in folders + names:
            problem(f"{parent}: readdir lists .oci")
    return files


def without_mode(annotations):
    return {key: value for key, value in annotations.items() if key not in (TITLE, MODE)}


def shown_annotations(path):
    """What annotations.json says, or {} where there is none."""
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def compare_annotations(name, entry, manifest, folder):
    expected = {
        "$descriptor": (entry or {}).get("annotations", {}),
        "$manifest": manifest.get("annotations", {}),
        "$config": manifest["config"].get("annotations", {}),
    }
    for layer in manifest["layers"]:
        expected[layer_name(layer)] = without_mode(layer.get("annotations", {}))
    shown = shown_annotations(os.path.join(folder, "annotations.json"))
    if shown and all(isinstance(value, str) for value in shown.values()):
        shown = {"$descriptor": shown}
    shown = {
        key: value if key in ("$descriptor", "$manifest", "$config") else without_mode(value)
        for key, value in shown.items()
    }
    same(
        f"{name}: annotations",
        {key: value for key, value in expected.items() if value},
        {key: value for key, value in shown.items() if value},
    )


def compare_file(name, layer, path, status, pulled):
    same(f"{name}: size", layer["size"], status.st_size)
    same(f"{name}: content", layer["digest"], "sha256:" + sha256_file(path))
    pulled.blob(layer)
    executable = MODE in layer.get("annotations", {})
    same(f"{name}: execute bit", executable, bool(status.st_mode & stat.S_IXUSR))


def compare_folder(name, entry, manifest, folder, pulled):
    check_manifest(name, manifest)
    pulled.blob(manifest["config"])
    layers = {layer_name(layer): layer for layer in manifest["layers"]}
    files = walk(folder)
    same(f"{name}: files", sorted(layers), sorted(files))
    for title, layer in layers.items():
        if title in files:
            compare_file(
                f"{name}/{title}", layer, os.path.join(folder, title), files[title], pulled
            )
    compare_annotations(name, entry, manifest, folder)
    control = os.path.join(sys.argv[-1] if len(sys.argv) > 3 else sys.argv[1], name, ".oci")
    with open(os.path.join(control, "manifest.json"), encoding="utf-8") as file:
        same(f"{control}/manifest.json", manifest, json.load(file))


def main():
    mount, pulled = sys.argv[1], Pulled(sys.argv[2])
    folders = sorted(f for f in os.listdir(mount) if f != "annotations.json")
    if not pulled.is_index():
        same("folders", 1, len(folders))
        compare_folder(folders[0], None, pulled.root, os.path.join(mount, folders[0]), pulled)
    else:
        entries = pulled.root["manifests"]
        names = folder_names(entries)
        same("folders", sorted(names), folders)
        same(
            "annotations of the index",
            pulled.root.get("annotations", {}),
            shown_annotations(os.path.join(mount, "annotations.json")),
        )
        for name, entry in zip(names, entries):
            manifest = pulled.document(entry)
            compare_folder(name, entry, manifest, os.path.join(mount, name), pulled)
    for text in problems:
        print("disagree: " + text)
    sys.exit(1 if problems else 0)


main()
