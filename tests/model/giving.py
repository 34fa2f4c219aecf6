"""What is given of a document by way of .oci: its artifact-type, and its subject."""
import os

import operations
import stores
import tag_model

TYPES = ("application/vnd.example.one", "application/vnd.example.two")


def some_value(run, part):
    """(text to be written, what it comes to)"""
    if part == "artifactType":
        kind = run.random.choice(TYPES)
        return kind, kind
    root = run.store.tag(operations.TAG)
    if run.random.random() < 0.3:
        return operations.TAG, stores.digest_of(root)
    digest = run.random.choice(sorted(stores.subjects(run.store, operations.TAG).values()))
    return digest, digest


def is_taken_back(run, name, part, value):
    """Whether the index would be the registry's again: it's open whether it counts as given then."""
    parts = {**run.model.owner(name).parts, part: value}
    return not name and run.model.index.given and \
        parts == {part: run.model.base[part] for part in parts}


def give(run):
    """Where there is a tag: its index is given as it is, but for a part."""
    if run.model.committed is None:
        return None
    name = operations.some_owner(run)
    part, path = run.random.choice(list(tag_model.PARTS.items()))
    path = os.path.join(name, path)
    text, value = some_value(run, part)
    if is_taken_back(run, name, part, value):
        return None
    operations.put(run, path, (text + run.random.choice(("", "\n"))).encode())
    run.model.give(name, part, value)
    return f"write {path}: {text}"


def take(run):
    """Removes one, or makes it empty. A manifest has an artifactType."""
    name = operations.some_owner(run)
    part, path = run.random.choice(list(tag_model.PARTS.items()))
    path = os.path.join(name, path)
    if run.model.owner(name).parts[part] is None or (name and part == "artifactType") or \
            is_taken_back(run, name, part, None):
        return None
    if run.random.random() < 0.5:
        operations.put(run, path, b"")
    else:
        os.unlink(run.mount.path(path))
    run.model.give(name, part, None)
    return f"remove {path}"


OPERATIONS = {give: 5, take: 3}
