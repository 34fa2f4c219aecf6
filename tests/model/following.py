"""What a mount shows of what others have made of its tag: folders in which nothing was changed here
are as the tag has them now, a folder that was changed or removed here stays on its old entry.
"""
import merging
import tag_model


def layer_bytes(model, layer):
    return model.blobs[layer["state"][2]]


def show(model, folder, entry):
    """The folder becomes this entry; what is only here stays in it."""
    for path, file in folder.layers().items():
        layer = entry["layers"].get(path)
        if layer and merging.content(layer) == file.state()[1:3]:
            continue
        del folder.files[path]
        parent = tag_model.parent_of(path)
        while parent and folder.is_empty(parent):
            del folder.directories[parent]
            parent = tag_model.parent_of(parent)
    for path, layer in entry["layers"].items():
        folder.files[path] = tag_model.File(layer_bytes(model, layer), layer["state"][3])
        model.remember(folder, tag_model.parent_of(path))
    notes = {level: entry[level] for level in tag_model.LEVELS}
    notes.update((path, layer["annotations"]) for path, layer in entry["layers"].items())
    folder.notes, folder.left, folder.draft = tag_model.without_empty(notes), {}, None
    folder.parts = {part: entry[part] for part in tag_model.PARTS}
    folder.published = set(entry["layers"])


def follow_entry(model, name, now, changed):
    """What the base is for this entry of the other version."""
    standing = {folder.entry: at for at, folder in model.folders.items() if folder.entry}
    old, at = (model.base or merging.NOTHING)["folders"].get(name), standing.get(name)
    if old is not None and (old == now or at is None or at in changed):
        return old
    if old is None and name not in model.folders:
        model.folders[name] = tag_model.Folder()
    elif old is None and (name in changed or model.folders[name].entry):
        return None
    folder = model.folders[at or name]
    folder.entry = name
    show(model, folder, now)
    return now


def lose_entry(model, name, changed):
    """The other version doesn't have it; what the base has of it."""
    at = next((at for at, folder in model.folders.items() if folder.entry == name), None)
    if at is None:
        return None
    if at in changed:
        return model.base["folders"][name]
    folder = model.folders[at]
    show(model, folder, merging.NO_ENTRY)
    folder.entry = None
    if folder.is_empty(""):
        del model.folders[at]
    return None


def forget_directories(model, changed):
    """Which empty ones the journal, made anew, brings back, the contract leaves open."""
    for name, folder in model.folders.items():
        for directory, kept in folder.directories.items():
            below = directory + "/" if directory else ""
            if not any(path.startswith(below) for path in folder.files) and \
                    not (kept and name in changed):
                folder.directories[directory] = None


def follow(model, now, changed):
    """The tag names now. changed: the folders in which something was changed here, and
    annotations.json where the index's was, by the word of status."""
    if model.index.given:  # where others have moved the tag, a commit says what comes of both
        forget_directories(model, changed)
        return
    now, base = now or merging.NOTHING, model.base or merging.NOTHING
    folders = {name: follow_entry(model, name, entry, changed)
               for name, entry in now["folders"].items()}
    folders.update((name, lose_entry(model, name, changed)) for name in base["folders"]
                   if name not in now["folders"])
    notes = now["annotations"]
    if tag_model.NOTES in changed or \
            model.index.notes.get("$descriptor", {}) != base["annotations"]:
        notes = base["annotations"]
    else:
        model.index.notes = tag_model.without_empty({"$descriptor": notes})
    model.index.parts = {part: now[part] for part in tag_model.PARTS}
    model.base = {**model.index.parts, "annotations": notes, "folders": {
        name: entry for name, entry in folders.items() if entry is not None}}
    forget_directories(model, changed)
