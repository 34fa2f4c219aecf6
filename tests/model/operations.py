"""Random operations: each is chosen among what can be done now, done to a mount, and to the model.

An operation is a function of (run): it draws from run.random, acts on run.mount, and changes
run.model. It returns what it did, as a line to be read, or None where it can't be done now.
"""
import errno
import json
import os
import subprocess

import following
import live_mount
import places
import tag_model

TAG = places.TAG
PLATFORMS = ("linux-amd64", "linux-arm64", "linux-arm-v7", "windows-amd64", "any",
             "darwin-arm64@macOS 12.6")
NAMES = ("app", "tool", "README", "caf\u00e9", "a b", "lib.tar.gz", "conf.json")
SCRATCH_NAMES = (".app.swp", "tool~", "data.part")
DIRECTORIES = ("share", "share/doc", "bin", "share/doc/more")
KEYS = ("org.example.a", "org.example.b", "k", "")
FILES_MAX = 14


def random_bytes(run):
    return run.random.randbytes(run.random.choice((0, 1, 100, 5000, 70000, 300000)))


def some_file(run, wanted=lambda path: True):
    files = run.model.files(wanted)
    return run.random.choice(files) if files else None


def some_directory(run):
    directories = run.model.directories()
    return run.random.choice(directories) if directories else None


def some_place(run, names=NAMES):
    """A path for a file, taken or not; never that of a directory."""
    directory = some_directory(run)
    path = f"{directory}/{run.random.choice(names)}" if directory else None
    return None if path is None or run.model.at(path) is True else path


def mkdir_platform(run):
    free = [name for name in PLATFORMS if name not in run.model.folders]
    if not free:
        return None
    name = run.random.choice(free)
    os.mkdir(run.mount.path(name))
    run.model.mkdir(name)
    return f"mkdir {name}"


def mkdir(run):
    folders = run.model.names()
    path = f"{run.random.choice(folders)}/{run.random.choice(DIRECTORIES)}" if folders else None
    if not path or run.model.at(path) is not None or run.model.at(tag_model.parent_of(path)) is None:
        return None
    os.mkdir(run.mount.path(path))
    run.model.mkdir(path)
    return f"mkdir {path}"


def put(run, path, data, flags=os.O_TRUNC, at=0):
    fd = os.open(run.mount.path(path), os.O_WRONLY | os.O_CREAT | flags, 0o644)
    try:
        os.pwrite(fd, data, at)
    finally:
        os.close(fd)


def write(run):
    path = some_place(run)
    if not path or len(run.model.files()) >= FILES_MAX:
        return None
    data = random_bytes(run)
    put(run, path, data)
    run.model.write(path, data)
    return f"write {path}, {len(data)} bytes"


def write_scratch(run):
    path = some_place(run, SCRATCH_NAMES)
    if not path or len(run.model.files()) >= FILES_MAX:
        return None
    data = random_bytes(run)
    put(run, path, data)
    run.model.write(path, data)
    return f"write {path}, {len(data)} bytes"


def write_at(run):
    """In its middle, at its end, or beyond."""
    path = some_file(run)
    if not path:
        return None
    old, data = run.model.data(path), random_bytes(run) or b"x"
    at = run.random.choice((run.random.randrange(len(old) + 1), len(old), len(old) + 5000))
    put(run, path, data, 0, at)
    run.model.write(path, old[:at].ljust(at, b"\0") + data + old[at + len(data):])
    return f"write {path} at {at}, {len(data)} bytes"


def truncate(run):
    path = some_file(run)
    if not path:
        return None
    data = run.model.data(path)
    size = run.random.choice((0, run.random.randrange(len(data) + 1), len(data) + 3000))
    os.truncate(run.mount.path(path), size)
    run.model.write(path, data[:size].ljust(size, b"\0"))
    return f"truncate {path} to {size}"


def replace(run):
    """As editors save: another file, renamed over."""
    path = some_file(run, lambda path: not tag_model.is_scratch(path))
    if not path:
        return None
    aside = f"{tag_model.parent_of(path)}/{run.random.choice(('.save.swp', 'save.new'))}"
    data = random_bytes(run)
    put(run, aside, data)
    run.model.write(aside, data)
    os.rename(run.mount.path(aside), run.mount.path(path))
    run.model.rename(aside, path)
    return f"replace {path} by way of {aside}, {len(data)} bytes"


def copy_file(run):
    old, new = some_file(run), some_place(run, NAMES + SCRATCH_NAMES)
    if not old or not new or old == new or len(run.model.files()) >= FILES_MAX:
        return None
    # Beside a draft no attribute can be set.
    attributes = run.random.random() < 0.5 and not run.model.has_draft(new)
    options = ["-a"] if attributes else []
    subprocess.run(["cp", *options, run.mount.path(old), run.mount.path(new)], check=True)
    run.model.copy_file(old, new, attributes)
    return f"cp {'-a ' if attributes else ''}{old} {new}"


def rename_file(run):
    old, new = some_file(run), some_place(run, NAMES + SCRATCH_NAMES)
    if not old or not new or old == new:
        return None
    os.rename(run.mount.path(old), run.mount.path(new))
    run.model.rename(old, new)
    return f"rename {old} to {new}"


def rename_directory(run):
    directories = [path for path in run.model.directories() if "/" in path]
    folders = run.model.names()
    if not directories:
        return None
    old = run.random.choice(directories)
    new = f"{run.random.choice(folders)}/{run.random.choice(DIRECTORIES)}"
    if run.model.at(tag_model.parent_of(new)) is None or run.model.at(new) is not None or \
            f"{new}/".startswith(f"{old}/"):
        return None
    os.rename(run.mount.path(old), run.mount.path(new))
    run.model.rename(old, new)
    return f"rename {old} to {new}"


def rename_platform(run):
    free = [name for name in PLATFORMS if name not in run.model.folders]
    folders = run.model.names()
    if not folders or not free:
        return None
    old, new = run.random.choice(folders), run.random.choice(free)
    os.rename(run.mount.path(old), run.mount.path(new))
    run.model.rename(old, new)
    return f"rename {old} to {new}"


def remove(run):
    path = some_file(run)
    if not path:
        return None
    os.unlink(run.mount.path(path))
    run.model.unlink(path)
    return f"remove {path}"


def remove_directory(run):
    """Empty or not."""
    path = some_directory(run)
    if not path:
        return None
    name, rest = tag_model.folder_of(path)
    empty = run.model.folders[name].is_empty(rest)
    run.expect(0 if empty else errno.ENOTEMPTY, os.rmdir, run.mount.path(path))
    if empty:
        run.model.rmdir(path)
    return f"rmdir {path}{'' if empty else ', which is not empty'}"


def remove_platform(run):
    """As rm -r does it."""
    folders = run.model.names()
    name = run.random.choice(folders) if folders else None
    if not name or run.model.folders[name].attached or run.random.random() < 0.5:
        return None
    for parent, directories, files in os.walk(run.mount.path(name), topdown=False):
        for file in files:
            os.unlink(os.path.join(parent, file))
        for directory in directories:
            os.rmdir(os.path.join(parent, directory))
    os.rmdir(run.mount.path(name))
    run.model.rmdir(name)
    return f"rm -r {name}"


def chmod(run):
    path = some_file(run)
    if not path:
        return None
    executable = run.random.random() < 0.5
    os.chmod(run.mount.path(path), 0o755 if executable else 0o644)
    run.model.chmod(path, executable)
    return f"chmod {'+' if executable else '-'}x {path}"


def touch(run):
    """Times are compared with nothing; the operation may be told of, and so its folder."""
    path = run.random.choice([*run.model.files(), *run.model.directories(), ""])
    if not path:
        return None
    os.utime(run.mount.path(path))
    run.model.touch_time(path)
    return f"touch {path}"


def random_annotations(run):
    count = run.random.randrange(3)
    return {run.random.choice(KEYS): run.random.choice(("", "1", "\u2713 \"quoted\"", "x" * 300))
            for _ in range(count)}


def notes_text(run, name):
    """A valid annotations.json, of what is there and, now and then, of a file that isn't."""
    if not name:
        return json.dumps(random_annotations(run))
    folder = run.model.folders[name]
    titles = [*tag_model.LEVELS, *sorted(folder.layers())]
    if run.random.random() < 0.05:
        titles.append("no/such file")
    chosen = run.random.sample(titles, run.random.randrange(len(titles) + 1))
    notes = {title: random_annotations(run) for title in chosen}
    if notes and run.random.random() < 0.3:
        return json.dumps(random_annotations(run))  # the short form: of the descriptor alone
    return json.dumps(notes, indent=run.random.choice((None, 2)))


def notes_path(name):
    return f"{name}/{tag_model.NOTES}".lstrip("/")


def some_owner(run):
    return run.random.choice(["", *run.model.names()])


def annotate(run):
    name = some_owner(run)
    text = notes_text(run, name)
    put(run, notes_path(name), text.encode())
    run.model.annotate(name, text)
    return f"annotate {name or 'the index'}: {text}"


def annotate_by_rename(run):
    """As editors save. What is wrong with a text is said by the commit, then."""
    name = some_owner(run)
    text = notes_text(run, name) if run.random.random() < 0.9 else "{"
    aside = f"{name}/.notes.swp".lstrip("/")
    put(run, aside, text.encode())
    os.rename(run.mount.path(aside), run.mount.path(notes_path(name)))
    run.model.annotate(name, text)
    return f"annotate {name or 'the index'} by way of {aside}: {text}"


def annotate_badly(run):
    name = some_owner(run)
    text = run.random.choice(('{"k": ', "", "[]", '{"k": 1}', '{"k": "1", "k": "2"}',
                              '{"app": {"k": {}}}'))
    # Nothing written says nothing yet: a shell's > closes the file before it is written to.
    run.expect(errno.EINVAL if text else 0, put, run, notes_path(name), text.encode())
    run.model.annotate(name, text)
    return f"annotate {name or 'the index'} badly: {text}"


def remove_annotations(run):
    name = some_owner(run)
    path = run.mount.path(notes_path(name))
    if not os.path.exists(path):
        return None
    os.unlink(path)
    run.model.unannotate(name)
    return f"remove {notes_path(name)}"


def mend(run):
    """What keeps a commit back."""
    for name in ("", *run.model.names()):
        if run.model.stands_in_the_way(name):
            put(run, notes_path(name), b"{}")
            run.model.annotate(name, "{}")
            return f"mend {notes_path(name)}"
    return None


def mount_again(run):
    """What others have published comes anew upon what is remembered."""
    run.mount.start()
    run.same("what couldn't be restored", [], run.mount.errors(but="EINVAL"))
    run.model.remount(run.mount.is_directory)
    following.follow(run.model, run.model.committed, run.mount.uncommitted())


def kill(run):
    run.mount.kill()
    mount_again(run)
    return "kill -9, mount"


def remount(run):
    run.mount.unmount()
    mount_again(run)
    return "unmount, mount"


# How often each is tried.
OPERATIONS = {
    mkdir_platform: 6, mkdir: 6, write: 14, write_scratch: 3, write_at: 10, truncate: 6,
    replace: 6, rename_file: 9, copy_file: 8, rename_directory: 5, rename_platform: 3, remove: 6,
    remove_directory: 3, remove_platform: 2, chmod: 4, touch: 3, annotate: 8, annotate_by_rename: 3,
    annotate_badly: 2, remove_annotations: 2, mend: 6, kill: 4, remount: 3,
}
