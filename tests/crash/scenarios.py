"""What is done to a mount while it is killed: steps, each with what it makes of the model."""
import errno
import os
import random

import tag_model

PIECE = 64 << 10


def bytes_of(seed, size):
    return random.Random(seed).randbytes(size)


class Step:
    """do() acts on the mount, apply() on the model; refused is the errno that do() must end with."""

    refused = None
    is_commit = False

    def __init__(self, name, do=None, apply=None):
        self.name = name
        if do:
            self.do = do
        if apply:
            self.apply = apply

    def middle(self, before, mount):
        """The model with what is really there of the one file that was being written; None where
        this step writes none, or where that isn't the beginning of what it writes."""
        return None


class Write(Step):
    """The whole of a file (at None), or a piece of one."""

    def __init__(self, path, data, at=None, piece=PIECE):
        super().__init__(f"write {path}")
        self.path, self.data, self.at, self.piece = path, data, at, piece

    def do(self, mount):
        flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if self.at is None else 0)
        fd = os.open(mount.path(self.path), flags, 0o644)
        try:
            for at in range(0, len(self.data), self.piece):
                os.pwrite(fd, self.data[at:at + self.piece], (self.at or 0) + at)
        finally:
            os.close(fd)

    def result(self, before, count):
        """The content once count bytes were written."""
        if self.at is None:
            return self.data[:count]
        old = before.data(self.path)
        return old[:self.at] + self.data[:count] + old[self.at + count:]

    def apply(self, model):
        model.write(self.path, self.result(model, len(self.data)))

    def middle(self, before, mount):
        try:
            with open(mount.path(self.path), "rb") as file:
                data = file.read()
        except FileNotFoundError:
            return None
        if data != self.result(before, len(data) if self.at is None else len(self.data)):
            return None
        model = before.copy()
        model.write(self.path, data)
        return model


class Annotate(Step):
    def __init__(self, name, text):
        super().__init__(f"annotate {name or 'the index'}")
        self.folder, self.text = name, text
        self.file = f"{name}/{tag_model.NOTES}".lstrip("/")
        if not tag_model.Owner().annotate(text, not name):
            self.refused = errno.EINVAL

    def do(self, mount):
        fd = os.open(mount.path(self.file), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        try:
            os.write(fd, self.text.encode())
        except BaseException:
            os.close(fd)
            raise
        os.close(fd)

    def apply(self, model):
        model.annotate(self.folder, self.text)

    def middle(self, before, mount):
        """Empty, or whole: it is written at once."""
        try:
            with open(mount.path(self.file), encoding="utf-8") as file:
                text = file.read()
        except FileNotFoundError:
            return None
        if text not in ("", self.text):
            return None
        model = before.copy()
        model.annotate(self.folder, text)
        return model


class Sync(Step):
    is_commit = True

    def __init__(self, refused=None):
        super().__init__("sync")
        self.refused = refused

    def do(self, mount):
        mount.sync()

    def apply(self, model):
        if not self.refused:
            model.commit()


def mkdir(path):
    return Step(f"mkdir {path}", lambda mount: os.mkdir(mount.path(path)),
                lambda model: model.mkdir(path))


def rename(old, new):
    return Step(f"rename {old} {new}", lambda mount: os.rename(mount.path(old), mount.path(new)),
                lambda model: model.rename(old, new))


def remove(path):
    return Step(f"remove {path}", lambda mount: os.unlink(mount.path(path)),
                lambda model: model.unlink(path))


def remove_folder(path):
    return Step(f"rmdir {path}", lambda mount: os.rmdir(mount.path(path)),
                lambda model: model.rmdir(path))


def executable(path):
    return Step(f"chmod +x {path}", lambda mount: os.chmod(mount.path(path), 0o755),
                lambda model: model.chmod(path, True))


def truncate(path, size):
    def apply(model):
        model.write(path, model.data(path)[:size].ljust(size, b"\0"))

    return Step(f"truncate {path}", lambda mount: os.truncate(mount.path(path), size), apply)


def remount():
    """Killed from outside, with a staged file left over that nothing tells of."""
    def do(mount):
        mount.kill()
        state, = os.listdir(os.path.join(mount.folder, "state"))
        with open(os.path.join(mount.folder, "state", state, "files", "7777777"), "wb"):
            pass
        mount.start_next()

    return Step("kill and mount again", do, lambda model: model.remount())


def unmount():
    def do(mount):
        mount.unmount()
        mount.start_next()

    return Step("unmount and mount again", do, lambda model: model.remount())


BROKEN = '{"$descriptor": {"k": '


def everyday():
    """Every kind of change, in some commits, and a kill between two of them."""
    return changes(remount())


def everyday_in_two_mounts():
    return changes(unmount())


def changes(between):
    return [
        mkdir("linux-amd64"),
        Write("linux-amd64/app", bytes_of(1, 3 * PIECE)),
        mkdir("linux-amd64/share"),
        mkdir("linux-amd64/share/doc"),
        Write("linux-amd64/share/doc/README", b"read me\n"),
        mkdir("linux-arm64"),
        Write("linux-arm64/app", bytes_of(2, PIECE)),
        executable("linux-arm64/app"),
        Annotate("linux-arm64", '{"$manifest": {"org.example.m": "1"}, "app": {"k": "v"}}'),
        Sync(),
        rename("linux-amd64/share/doc/README", "linux-amd64/share/doc/README.md"),
        executable("linux-amd64/app"),
        Annotate("linux-amd64", BROKEN),
        Sync(refused=errno.EINVAL),
        Annotate("linux-amd64", '{"$descriptor": {"k": "mended"}, "app": {"a": "b"}}'),
        Write("linux-amd64/app", bytes_of(3, 2 * PIECE)),
        Write("linux-arm64/app", b"in its middle", at=1000),
        Write("linux-arm64/.app.swp", b"swap"),
        rename("linux-arm64", "linux-arm64-v8"),
        Sync(),
        Annotate("", '{"org.example.index": "1"}'),
        truncate("linux-arm64-v8/app", 500),
        mkdir("linux-riscv64"),
        Write("linux-riscv64/tool", bytes_of(4, PIECE)),
        rename("linux-amd64/share", "linux-riscv64/share"),
        between,
        rename("linux-arm64-v8/.app.swp", "linux-arm64-v8/extra"),
        Sync(),
        remove("linux-amd64/app"),
        Write("linux-amd64/app", b"made again"),
        remove("linux-arm64-v8/app"),
        remove("linux-arm64-v8/extra"),
        remove_folder("linux-arm64-v8"),
        Write("linux-riscv64/tool", bytes_of(5, PIECE)),
    ]


def attached(mount):
    """What stands in .oci/referrers, by name, and the text of its only file."""
    folder = mount.path(".oci/referrers")
    found = {}
    for name in os.listdir(folder):
        with open(os.path.join(folder, name, "sbom.json"), encoding="ascii") as file:
            found[name] = file.read()
    return found


def attach(mount):
    """In one step, and once: it is no part of the model."""
    folder = mount.path(".oci/referrers/application.spdx+json")
    os.mkdir(folder)
    with open(os.path.join(folder, "sbom.json"), "w", encoding="ascii") as file:
        file.write("of the index")


def see_attached(mount):
    """Whatever was killed, it is published once, by this commit at the latest."""
    mount.sync()
    found = attached(mount)
    if len(found) != 1 or "~" not in "".join(found) or set(found.values()) != {"of the index"}:
        raise OSError(errno.EBADMSG, f"attached: {found}")


def attaching():
    """An artifact attached to the index of the same commit."""
    return [
        mkdir("linux-amd64"),
        Write("linux-amd64/app", b"amd64"),
        Step("attach", attach, lambda model: None),
        Sync(),
        Step("see what is attached", see_attached, lambda model: None),
    ]


def large():
    """A blob that goes in chunks."""
    return [
        mkdir("linux-amd64"),
        Write("linux-amd64/image", bytes(66 << 20), piece=1 << 20),
        Sync(),
    ]
