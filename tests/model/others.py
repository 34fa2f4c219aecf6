"""What another client makes of a tag: documents built and changed here, sent by plain HTTP or written
into a layout under its lock.

Each push also writes a number into a file of a platform that is nobody else's: once the mount shows
that, it shows all of the push that it will.
"""
import json

import following
import giving
import operations
import stores
import tag_model

TICK = "tick"


def platform_of(name):
    """Of the names in operations.PLATFORMS; None: any."""
    if name == "any":
        return None
    name, _, version = name.partition("@")
    keys = ("os", "architecture", "variant")
    return {**dict(zip(keys, name.split("-"))), **({"os.version": version} if version else {})}


class Tag:
    """The documents of a tag, taken apart, to be changed and pushed."""

    def __init__(self, run):
        self.run, self.random, self.store = run, run.random, run.store
        root = self.store.tag(operations.TAG)
        self.index = json.loads(root) if root else {
            "schemaVersion": 2, "mediaType": stores.INDEX, "manifests": []}
        self.done = []

    def style(self):
        return self.random.choice(({}, {"separators": (",", ":")}, {"indent": 2},
                                   {"sort_keys": True}))

    def entries(self):
        names = ((stores.platform_name(entry.get("platform")), entry)
                 for entry in self.index["manifests"])
        return {name: entry for name, entry in names if name != tag_model.OTHERS}

    def some_entry(self):
        entries = self.entries()
        return self.random.choice(sorted(entries.items())) if entries else (None, None)

    def manifest(self, entry):
        return json.loads(self.store.document(entry["digest"]))

    def put_manifest(self, entry, manifest):
        entry.update(self.store.put_document(manifest, **self.style()))
        if "artifactType" in entry:
            entry["artifactType"] = manifest["artifactType"]

    def layer(self, title, data):
        blob = self.store.put_blob(data)
        self.run.model.blobs[blob["digest"].split(":")[1]] = data
        return {"mediaType": media_type(title), **blob, "annotations": {stores.TITLE: title}}

    def new_entry(self, name, title, data):
        config = {"mediaType": stores.EMPTY, **self.store.put_blob(b"{}")}
        entry = {}
        self.put_manifest(entry, {
            "schemaVersion": 2, "mediaType": stores.MANIFEST,
            "artifactType": "application/vnd.unknown.artifact.v1", "config": config,
            "layers": [self.layer(title, data)]})
        if platform_of(name):
            entry["platform"] = platform_of(name)
        self.index["manifests"].append(entry)

    def tick(self, number):
        self.index["manifests"] = [*self.entries().values()]
        self.new_entry(tag_model.OTHERS, TICK, b"%d" % number)

    def push(self):
        self.store.put_document(self.index, operations.TAG, **self.style())


def media_type(title):
    for ending, kind in ((".json", "application/json"),
                         (".tar.gz", "application/vnd.oci.image.layer.v1.tar+gzip")):
        if title.endswith(ending):
            return kind
    return "application/octet-stream"


def some_title(tag):
    directory = tag.random.choice(("", *operations.DIRECTORIES))
    return f"{directory}/{tag.random.choice(operations.NAMES)}".lstrip("/")


def some_data(tag):
    """Few different ones, so that both sides change a file alike at times."""
    return b"of others %d" % tag.random.randrange(3)


def add_platform(tag):
    taken = tag.entries()
    free = [name for name in operations.PLATFORMS if name not in taken and name != "any"]
    if not free:
        return None
    name, title = tag.random.choice(free), some_title(tag)
    tag.new_entry(name, title, some_data(tag))
    return f"add {name}/{title}"


def put_file(tag):
    """A new one or, as often, one that is there."""
    name, entry = tag.some_entry()
    if not entry:
        return None
    manifest = tag.manifest(entry)
    layers, data = manifest["layers"], some_data(tag)
    place = tag.random.randrange(2 * len(layers) + 1)
    if place < len(layers):
        title = layers[place]["annotations"][stores.TITLE]
        layers[place].update(tag.store.put_blob(data))
        tag.run.model.blobs[layers[place]["digest"].split(":")[1]] = data
    else:
        title = some_title(tag)
        if any(layer["annotations"][stores.TITLE] == title for layer in layers):
            return None
        layers.append(tag.layer(title, data))
    tag.put_manifest(entry, manifest)
    return f"put {name}/{title}: {data.decode()}"


def remove_file(tag):
    name, entry = tag.some_entry()
    manifest = tag.manifest(entry) if entry else {"layers": []}
    if len(manifest["layers"]) < 2:
        return None
    gone = manifest["layers"].pop(tag.random.randrange(len(manifest["layers"])))
    tag.put_manifest(entry, manifest)
    return f"remove {name}/{gone['annotations'][stores.TITLE]}"


def remove_entry(tag):
    name, entry = tag.some_entry()
    if not entry:
        return None
    tag.index["manifests"].remove(entry)
    return f"remove {name}"


def note(tag, owner):
    """Changes one annotation of what has annotations."""
    notes = owner.setdefault("annotations", {})
    key = tag.random.choice(operations.KEYS)
    value = tag.random.choice((None, "1", "2"))
    if value is None:
        notes.pop(key, None)
    else:
        notes[key] = value
    return f"{key!r} = {value!r}"


def annotate_index(tag):
    return f"annotate the index: {note(tag, tag.index)}"


def annotate_entry(tag):
    """The entry, its manifest, the config or a layer."""
    name, entry = tag.some_entry()
    if not entry:
        return None
    if tag.random.random() < 0.3:
        return f"annotate {name}: {note(tag, entry)}"
    manifest = tag.manifest(entry)
    owner = tag.random.choice((manifest, manifest["config"], *manifest["layers"]))
    what = note(tag, owner)
    tag.put_manifest(entry, manifest)
    return f"annotate within {name}: {what}"


def retype(tag):
    """The index or the manifest of an entry."""
    name, entry = tag.some_entry() if tag.random.random() < 0.7 else ("the index", None)
    kind = tag.random.choice(giving.TYPES)
    if not entry:
        tag.index["artifactType"] = kind
        return f"artifactType {kind} of the index"
    tag.put_manifest(entry, {**tag.manifest(entry), "artifactType": kind})
    return f"artifactType {kind} of {name}"


def respell(tag):
    """The same documents, written differently."""
    _, entry = tag.some_entry()
    if entry:
        tag.put_manifest(entry, tag.manifest(entry))
    return "respell"


CHANGES = {add_platform: 2, put_file: 6, remove_file: 2, remove_entry: 1, annotate_index: 2,
           annotate_entry: 3, retype: 2, respell: 1}


def change_tag(run):
    """One push of another client, of a few changes."""
    # What is taken out of our push within two seconds after it comes back.
    run.mount.unwatch()
    tag = Tag(run)
    for change in run.random.choices(list(CHANGES), CHANGES.values(), k=run.random.randint(1, 3)):
        tag.done += filter(None, [change(tag)])
    run.ticks += 1
    tag.tick(run.ticks)
    changed = run.mount.uncommitted()
    tag.push()
    run.model.committed = stores.published(run.store, operations.TAG)
    following.follow(run.model, run.model.committed, changed)
    return f"others: {', '.join(tag.done)}; changed here: {sorted(changed)}"


OPERATIONS = {change_tag: 4}
