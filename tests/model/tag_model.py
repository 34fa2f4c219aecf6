"""What a mounted tag shall show, and what the registry shall hold, after each operation.

A plain model in memory, written from the contract and not from the program: platform folders with
files, directories, annotations, drafts. Two views of it are compared with what is really there:
shown() with the mount, published() with the registry.
"""
import copy
import fnmatch
import hashlib
import json

import merging

NOTES, LEVELS, PARTS = merging.NOTES, merging.LEVELS, merging.PARTS
UNKNOWN = "application/vnd.unknown.artifact.v1"
OTHERS = "linux-s390x"  # a platform that only other clients write
REFERRERS = ".oci/referrers"
SCRATCH = (".*.sw?", "*~", "*.part", ".#*")


def is_scratch(path):
    return any(fnmatch.fnmatchcase(part, pattern) for part in path.split("/")
               for pattern in SCRATCH)


def parent_of(path):
    return path.rpartition("/")[0]


def folder_of(path):
    """("linux-amd64", "share/doc/README")"""
    name, _, rest = path.partition("/")
    return name, rest


def without_empty(notes):
    return {level: items for level, items in notes.items() if items}


def no_twins(pairs):
    if len({key for key, _ in pairs}) != len(pairs):
        raise ValueError("a key twice")
    return dict(pairs)


def parse_notes(text, of_index):
    """The levels of an annotations.json; ValueError for a draft that is broken."""
    notes = json.loads(text, object_pairs_hook=no_twins)
    if not isinstance(notes, dict):
        raise ValueError("not an object")
    if all(isinstance(value, str) for value in notes.values()):
        return without_empty({"$descriptor": notes})
    if of_index or not all(isinstance(items, dict) and
                           all(isinstance(value, str) for value in items.values())
                           for items in notes.values()):
        raise ValueError("not annotations")
    return without_empty(notes)


class File:
    def __init__(self, data=b"", executable=False):
        self.data, self.executable = data, executable
        self.aside = {}  # annotations, as long as its name is a scratch file's

    def state(self):
        return "file", len(self.data), hashlib.sha256(self.data).hexdigest(), self.executable


class Owner:
    """What has an annotations.json and a document: a tag or a platform folder."""

    def __init__(self):
        self.notes = {}  # level or title -> annotations; never an empty one
        self.left = {}  # those of files that went, for when they come again before a commit
        self.draft = None  # a text that isn't valid
        self.parts = dict(merging.NO_PARTS)  # of the document; None: not there, or not given yet
        self.given = False  # whether a part was, since the last commit
        self.attached = {}  # kind -> {name: File}, of what the next commit is to attach

    def annotate(self, text, of_index):
        try:
            self.notes, self.left = parse_notes(text, of_index), {}
            self.draft = None
        except ValueError:
            self.draft = text
        return self.draft is None


class Folder(Owner):
    def __init__(self):
        super().__init__()
        self.files = {}
        # Directory -> whether the journal, or a layer below it, brings it back after a remount;
        # None: that is left open. An empty one that a commit has left out goes with its mount.
        # "" is the folder itself.
        self.directories = {"": True}
        self.published = set()  # the titles that the registry has
        self.entry = None  # the name of the entry of the base that it stands on
        self.changed = False

    def layers(self):
        return {path: file for path, file in self.files.items() if not is_scratch(path)}

    def is_empty(self, directory):
        if not directory:
            return not (self.files or self.attached or len(self.directories) > 1)
        return not any(path.startswith(directory + "/") for path in (*self.files, *self.directories))


class TagModel:
    def __init__(self):
        self.index = Owner()
        self.folders = {}
        self.committed = None  # what the tag is: published() at the last commit, or others' work
        # What changes made here stand on: the same, where nothing of others is in their way.
        self.base = None
        self.blobs = {}  # what was ever published, by sha256

    def copy(self):
        return copy.deepcopy(self)

    # What there is.

    def at(self, path):
        name, rest = folder_of(path)
        folder = self.folders.get(name)
        if folder is None or rest == "":
            return folder
        return folder.files.get(rest, True if rest in folder.directories else None)

    def names(self):
        """Of the folders that are for us."""
        return sorted(name for name in self.folders if name != OTHERS)

    def files(self, wanted=lambda path: True):
        return [f"{name}/{path}" for name in self.names()
                for path in sorted(self.folders[name].files) if wanted(path)]

    def directories(self):
        """Platform folders among them."""
        return [f"{name}/{path}".rstrip("/") for name in self.names()
                for path in sorted(self.folders[name].directories)]

    def file(self, path):
        name, rest = folder_of(path)
        return self.folders[name].files[rest]

    def data(self, path):
        return self.file(path).data

    def owners(self):
        return [("", self.index), *self.folders.items()]

    def owner(self, path):
        return self.folders[path] if path else self.index

    def notes_of(self, path):
        """Of a file; never to be changed."""
        name, rest = folder_of(path)
        folder = self.folders[name]
        return folder.files[rest].aside if is_scratch(rest) else folder.notes.get(rest, {})

    def has_draft(self, path):
        return self.owner(folder_of(path)[0]).draft is not None

    # What is done.

    def mkdir(self, path):
        name, rest = folder_of(path)
        if not rest:
            self.folders[name] = Folder()
            return
        folder = self.folders[name]
        folder.directories[rest] = True
        self.touch(folder, path)
        self.remember(folder, parent_of(rest))

    @staticmethod
    def touch(folder, path):
        folder.changed |= not is_scratch(path)

    @staticmethod
    def remember(folder, directory):
        """The journal tells of something in it, and so of it."""
        while True:
            folder.directories[directory] = True
            if not directory:
                break
            directory = parent_of(directory)

    @staticmethod
    def leave_open(folder, directory):
        """It may be that the journal tells of something in it."""
        while directory:
            folder.directories[directory] = folder.directories[directory] or None
            directory = parent_of(directory)

    def write(self, path, data, executable=None):
        name, rest = folder_of(path)
        folder = self.folders[name]
        file = folder.files.get(rest)
        if file is None:
            file = folder.files[rest] = File(executable=bool(executable))
            self.come_back(folder, rest)
        file.data = data
        self.touch(folder, path)
        self.remember(folder, parent_of(rest))

    @staticmethod
    def come_back(folder, path):
        if path in folder.left and path not in folder.notes and not is_scratch(path):
            folder.notes[path] = folder.left.pop(path)

    def touch_time(self, path):
        directories = self.folders[folder_of(path)[0]].directories
        directories[""] = directories[""] or None

    def copy_file(self, old, new, attributes):
        """As cp does it, or cp -a. A key that is empty is no attribute's."""
        file, notes = self.file(old), self.notes_of(old)
        self.write(new, file.data, file.executable)
        if attributes:
            self.chmod(new, file.executable)
            self.note(new, {key: value for key, value in notes.items() if key})

    def note(self, path, notes):
        """Upon what a file is annotated with."""
        name, rest = folder_of(path)
        notes = {**self.notes_of(path), **notes}
        if is_scratch(rest):
            self.folders[name].files[rest].aside = notes
        elif notes:
            self.folders[name].notes[rest] = notes

    def chmod(self, path, executable):
        name, rest = folder_of(path)
        self.folders[name].files[rest].executable = executable
        self.touch(self.folders[name], path)

    def unlink(self, path):
        name, rest = folder_of(path)
        folder = self.folders[name]
        del folder.files[rest]
        if rest in folder.notes and not is_scratch(rest):
            folder.left[rest] = folder.notes.pop(rest)
        self.touch(folder, path)
        self.remember(folder, parent_of(rest))

    def rmdir(self, path):
        name, rest = folder_of(path)
        if rest:
            del self.folders[name].directories[rest]
            self.touch(self.folders[name], path)
            self.remember(self.folders[name], "")
        else:
            del self.folders[name]

    def rename(self, old, new):
        """A file or directory below a platform folder, or a platform folder."""
        (old_name, old_rest), (new_name, new_rest) = folder_of(old), folder_of(new)
        source = self.folders[old_name]
        if not old_rest:
            self.folders[new_name] = self.folders.pop(old_name)
            self.remember(source, "")
            source.changed = True
            return
        target = self.folders[new_name]
        moved = {path: new_rest + path[len(old_rest):] for path in source.files
                 if path == old_rest or path.startswith(old_rest + "/")}
        for path, to in moved.items():
            file = target.files[to] = source.files.pop(path)
            if file.aside and not is_scratch(to):
                target.notes[to], file.aside = file.aside, {}
            # What becomes scratch is a backup: its annotations stay with its name.
            if path in source.notes and not is_scratch(path) and not is_scratch(to):
                target.notes[to] = source.notes.pop(path)
        known = bool(moved)
        for path in [path for path in source.directories
                     if path == old_rest or path.startswith(old_rest + "/")]:
            known = known or source.directories[path]
            target.directories[new_rest + path[len(old_rest):]] = source.directories.pop(path)
        if old_rest in moved:
            self.come_back(target, new_rest)
        self.touch(source, old)
        self.touch(target, new)
        self.remember(source, parent_of(old_rest) if known else "")
        if known is None:
            self.leave_open(source, parent_of(old_rest))
        self.remember(target, parent_of(new_rest))

    def annotate(self, name, text):
        """Of a platform folder, or of the index (""). False where the text is a broken draft."""
        if name:
            self.folders[name].changed = True
            self.remember(self.folders[name], "")
        return self.owner(name).annotate(text, not name)

    def unannotate(self, name):
        owner = self.owner(name)
        owner.notes, owner.draft = {}, None
        if name:
            owner.changed = True
            self.remember(owner, "")

    def attach(self, owner, kind, name, file):
        self.owner(owner).attached.setdefault(kind, {})[name] = file
        if owner:
            self.remember(self.folders[owner], "")

    def give(self, name, part, value):
        """A part of the document of an owner; None removes it."""
        owner = self.owner(name)
        if value == owner.parts[part]:
            return
        if name and not owner.parts["artifactType"]:
            owner.parts["artifactType"] = UNKNOWN
        owner.parts[part], owner.given = value, True
        if name:
            owner.changed = True
            self.remember(owner, "")

    def stands_in_the_way(self, name):
        """Why a commit is refused for the annotations of this owner; None where it isn't."""
        owner = self.owner(name)
        if owner.draft is not None:
            return f"{name or 'the index'} has a broken draft"
        if not name or not owner.layers():
            return None
        strangers = [title for title in owner.notes if title not in LEVELS and
                     title not in owner.files and title not in owner.published]
        return f"{name} has no {strangers[0]}" if strangers else None

    def why_refused(self):
        reasons = map(self.stands_in_the_way, ("", *self.folders))
        return next((reason for reason in reasons if reason), None)

    def commit(self):
        self.index.given = False
        for name, folder in self.folders.items():
            folder.entry = name if self.is_published(folder) else None
            folder.left, folder.changed, folder.given = {}, False, False
            if not folder.entry:
                folder.parts = dict(merging.NO_PARTS)
            elif not folder.parts["artifactType"]:
                folder.parts["artifactType"] = UNKNOWN
            folder.published = set(folder.layers())
            self.blobs.update((file.state()[2], file.data) for file in folder.layers().values())
            if folder.published:  # what was noted of other files was in no document
                folder.notes = {title: items for title, items in folder.notes.items()
                                if title in LEVELS or title in folder.published}
            for directory in folder.directories:
                below = directory + "/" if directory else ""
                folder.directories[directory] = any(
                    path.startswith(below) for path in folder.published)
        self.committed = self.base = self.published()

    def merge(self, choices=None):
        """What a commit is to make of what is here and of what others have made."""
        return merging.Merge(self.base, self.published(), self.committed, choices)

    def remount(self, exists=None):
        """What was empty at a commit, and nothing was done in since, isn't there any more.
        exists(path): what is left open is looked up."""
        for name, folder in list(self.folders.items()):
            for path, kept in folder.directories.items():
                if kept is None:
                    folder.directories[path] = exists(f"{name}/{path}")
            # Scratch files bring back the directories that they are in.
            for path in folder.files:
                self.remember(folder, parent_of(path))
            if not folder.directories[""] and not folder.attached:
                del self.folders[name]
                continue
            folder.directories = {path: kept for path, kept in folder.directories.items()
                                  if kept or not path}

    # What that must look like.

    def shown(self):
        """Path -> state of each file and directory; the annotations of each owner apart."""
        entries = {}
        for name, folder in self.folders.items():
            for path in folder.directories:
                entries[f"{name}/{path}".rstrip("/")] = ("directory",)
            for path, file in folder.files.items():
                entries[f"{name}/{path}"] = file.state()
        parts = {name: owner.parts for name, owner in self.owners()}
        notes = {name: self.owner(name).draft if self.owner(name).draft is not None
                 else without_empty(self.owner(name).notes) for name in ("", *self.folders)}
        return {"entries": entries, "parts": parts,
                "notes": {name: text for name, text in notes.items() if text != {}}}

    def attached(self):
        return {name: {kind: {title: file.state() for title, file in files.items()}
                       for kind, files in owner.attached.items()}
                for name, owner in self.owners()}

    @staticmethod
    def is_published(folder):
        """An entry that others, or a merge, have left without a layer stays while nothing is done
        in it."""
        return folder.layers() or (folder.entry and not folder.published and not folder.changed)

    def published(self):
        """What a commit makes of it: None where there is nothing to make a tag of."""
        folders = {name: folder_published(folder) for name, folder in self.folders.items()
                   if self.is_published(folder)}
        if not folders and not self.index.notes and self.committed is None:
            return None
        return {"annotations": self.index.notes.get("$descriptor", {}), "folders": folders,
                **self.index.parts}


def folder_published(folder):
    layers = {path: {"state": file.state(), "annotations": folder.notes.get(path, {})}
              for path, file in folder.layers().items()}
    levels = {level: folder.notes.get(level, {}) for level in LEVELS}
    parts = {**folder.parts, "artifactType": folder.parts["artifactType"] or UNKNOWN}
    return {**levels, **parts, "layers": layers}


def differences(expected, got, where=""):
    """Each place where two values differ, with both."""
    if isinstance(expected, dict) and isinstance(got, dict):
        found = []
        for key in sorted({*expected, *got}, key=str):
            found += differences(expected.get(key), got.get(key), f"{where}/{key}")
        return found
    return [] if expected == got else [f"{where}: expected {expected!r}, found {got!r}"]
