"""What a commit must make of a tag that others have changed meanwhile: a merge three ways, of what
TagModel.published() gives, written from the contract and not from the program.

By entry, then by file within an entry, then by annotation key. Whoever changed a thing has it; the
same thing changed differently is a conflict, of the path that .oci/status tells.
"""
NOTES = "annotations.json"
MODE = "dev.indexfs.mode"
LEVELS = ("$descriptor", "$manifest", "$config")
PARTS = {"artifactType": ".oci/artifact-type", "subject": ".oci/subject"}
NO_PARTS = dict.fromkeys(PARTS)
NOTHING = {"annotations": {}, "folders": {}, **NO_PARTS}
NO_ENTRY = {"layers": {}, **dict.fromkeys(LEVELS, {}), **NO_PARTS}


def pick(base, ours, theirs):
    if ours in (base, theirs):
        return "theirs"
    return "ours" if base == theirs else None


def content(layer):
    """Its size and digest; the execute bit is an annotation."""
    return layer["state"][1:3] if layer else None


def layer_notes(layer):
    if not layer:
        return {}
    return {**layer["annotations"], **({MODE: "x"} if layer["state"][3] else {})}


class Merge:
    """result, conflicts: the paths. choices: path -> "ours" or "theirs", of those that are settled.

    unsure: entries that one side has removed, and the other has as they were, though maybe not to
    the byte: whether these are conflicts, the documents tell, which the model doesn't have. Those
    that are among the choices were."""

    def __init__(self, base, ours, theirs, choices=None):
        self.choices = choices or {}
        self.conflicts, self.unsure = set(), set()
        base, sides = base or NOTHING, (ours or NOTHING, theirs or NOTHING)
        self.result = None
        if ours is not None or theirs is not None:
            folders = self.each(self.folder, base["folders"], *(s["folders"] for s in sides))
            notes = self.notes(NOTES, base["annotations"], *(s["annotations"] for s in sides))
            parts = self.parts("", base, *sides)
            self.result = {"annotations": notes, "folders": folders, **parts}

    def settle(self, path):
        if path not in self.choices:
            self.conflicts.add(path)
        return self.choices.get(path, "theirs")

    @staticmethod
    def each(merge_one, base, ours, theirs):
        merged = {name: merge_one(name, base.get(name), ours.get(name), theirs.get(name))
                  for name in {**theirs, **ours}}
        return {name: value for name, value in merged.items() if value is not None}

    def value(self, path, base, ours, theirs):
        """One that can't be taken apart."""
        side = pick(base, ours, theirs) or self.settle(path)
        return ours if side == "ours" else theirs

    def notes(self, where, base, ours, theirs):
        return self.each(lambda key, *values: self.value(f"{where}: {key}", *values),
                         base, ours, theirs)

    def parts(self, where, base, ours, theirs):
        return {part: self.value(where + path, base[part], ours[part], theirs[part])
                for part, path in PARTS.items()}

    def folder(self, name, base, ours, theirs):
        side = pick(base, ours, theirs)
        if base is not None and base in (ours, theirs) and None in (ours, theirs):
            self.unsure.add(name)
            side = self.choices.get(name, side)
        if side or ours is None or theirs is None:
            return ours if (side or self.settle(name)) == "ours" else theirs
        base = base or NO_ENTRY
        merged = {level: self.notes(f"{name}/{NOTES}: {level}", base[level], ours[level],
                                    theirs[level]) for level in LEVELS}
        merged.update(self.parts(f"{name}/", base, ours, theirs))
        merged["layers"] = self.each(
            lambda title, *layers: self.layer(name, title, *layers),
            base["layers"], ours["layers"], theirs["layers"])
        return merged

    def layer(self, folder, title, base, ours, theirs):
        path = f"{folder}/{title}"
        if pick(base, ours, theirs) or ours is None or theirs is None:
            return self.value(path, base, ours, theirs)
        size, digest = self.value(path, content(base), content(ours), content(theirs))
        notes = self.notes(f"{folder}/{NOTES}: {title}", layer_notes(base), layer_notes(ours),
                           layer_notes(theirs))
        executable = notes.pop(MODE, None) is not None
        return {"state": ("file", size, digest, executable), "annotations": notes}
