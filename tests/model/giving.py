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


def give(run):
    """Where there is a tag: its index is given as it is, but for a part."""
    if run.model.committed is None:
        return None
    name = operations.some_owner(run)
    part, path = run.random.choice(list(tag_model.PARTS.items()))
    path = os.path.join(name, path)
    text, value = some_value(run, part)
    operations.put(run, path, (text + run.random.choice(("", "\n"))).encode())
    run.model.give(name, part, value)
    return f"write {path}: {text}"


def take(run):
    """Removes one, or makes it empty. A manifest has an artifactType."""
    name = operations.some_owner(run)
    part, path = run.random.choice(list(tag_model.PARTS.items()))
    path = os.path.join(name, path)
    if run.model.owner(name).parts[part] is None or (name and part == "artifactType"):
        return None
    if run.random.random() < 0.5:
        operations.put(run, path, b"")
    else:
        os.unlink(run.mount.path(path))
    run.model.give(name, part, None)
    return f"remove {path}"


OPERATIONS = {give: 5, take: 3}
