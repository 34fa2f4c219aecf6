"""A mount of the program under test: begun, looked at, killed, ended."""
import errno
import hashlib
import json
import os
import signal
import stat
import subprocess
import time

import tag_model

PATIENCE = 60.0  # seconds until something that must happen counts as never happening


class Broken(Exception):
    """What is found isn't what must be."""


def wait_until(condition, what):
    end = time.monotonic() + PATIENCE
    pause = 0.001
    while not condition():
        if time.monotonic() > end:
            raise Broken(f"{what}: still not so after {PATIENCE:.0f} s")
        time.sleep(pause)
        pause = min(2 * pause, 0.02)


def unmount_below(folder):
    """What an ended worker has left; the daemons end with their mounts."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        points = [line.split()[1] for line in mounts if f" {folder}/" in line]
    for point in points:
        subprocess.run(["umount", "-l", point], check=False, stderr=subprocess.DEVNULL)


class Mount:
    def __init__(self, program, source, folder, options=""):
        self.program, self.source, self.folder, self.options = program, source, folder, options
        self.point = os.path.join(folder, "mount")
        self.log_path = os.path.join(folder, "log")
        self.process = None
        os.makedirs(self.point, exist_ok=True)

    def start(self, **environment):
        """True, or False where the process was killed (by itself: a crash point)."""
        options = ",".join(filter(None, (
            f"state-dir={self.folder}/state", f"cache-dir={self.folder}/cache", self.options)))
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                [self.program, self.source, self.point, "-f", "-o", options], stdout=log,
                stderr=log, stdin=subprocess.DEVNULL, env={**os.environ, **environment})
        wait_until(lambda: os.path.ismount(self.point) or self.process.poll() is not None,
                   "the mount answers")
        if self.process.poll() is None:
            return True
        if self.process.returncode == -signal.SIGKILL:
            self.clean_up()
            return False
        raise Broken(f"it doesn't mount: exit {self.process.returncode}\n{self.said()}")

    def path(self, path):
        return os.path.join(self.point, path) if path else self.point

    def has_died(self):
        return self.process is not None and self.process.poll() is not None

    def died(self, code):
        """It has ended, or must within a moment: with this status, or killed (an OSError)."""
        wait_until(self.has_died, "the daemon ends")
        if self.process.returncode == -signal.SIGKILL != code:
            raise ConnectionAbortedError(errno.ECONNABORTED, "it was killed")
        if self.process.returncode != code:
            raise Broken(f"the daemon ended with {self.process.returncode}\n{self.said()}")
        self.clean_up()

    def clean_up(self):
        """What a dead daemon leaves behind."""
        self.process = None
        subprocess.run(["umount", "-l", self.point], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["fusermount3", "-uzq", self.point], check=False,
                       stderr=subprocess.DEVNULL)

    def abort(self):
        """Whoever waits in the mount gets an error."""
        if self.process:
            self.process.kill()

    def kill(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.clean_up()

    def unmount(self):
        """The daemon ends by itself, with status 0."""
        wait_until(lambda: subprocess.run(["fusermount3", "-u", self.point], check=False,
                                          stderr=subprocess.DEVNULL).returncode == 0 or
                   self.has_died(), "the mount can be unmounted")
        try:
            self.process.wait(PATIENCE / 4)
        except subprocess.TimeoutExpired:
            # A mount namespace that another test has made meanwhile holds the mount.
            self.process.terminate()
        self.died(0)

    def said(self, last=4000):
        with open(self.log_path, "rb") as log:
            return log.read().decode(errors="replace")[-last:]

    def status(self):
        with open(self.path(".oci/status"), encoding="utf-8") as file:
            return json.load(file)

    def is_directory(self, path):
        return os.path.isdir(self.path(path))

    def uncommitted(self):
        return set(self.status()["uncommitted"])

    def command(self, *arguments):
        """A command of the program that must succeed."""
        done = subprocess.run([self.program, *arguments], check=False, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode != 0:
            raise Broken(f"{arguments}: exit {done.returncode}: {done.stdout}\n{self.said()}")

    def errors(self, but):
        """All but those of this errno: a broken draft's, that is told of again."""
        return [error for error in self.status()["errors"] if error["errno"] != but]

    def sync(self):
        fd = os.open(self.point, os.O_RDONLY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def is_settled(self):
        status = self.status()
        return not status["committing"] and all(
            upload["state"] in ("uploaded", "failed") for upload in status.get("uploads", []))

    def settle(self):
        """Waits for the end of a commit, which comes after its answer, and for uploads."""
        wait_until(self.is_settled, "commits and uploads end")

    def unwatch(self):
        """Waits until no push of ours is looked after any more."""
        wait_until(lambda: not self.status()["watching"], "the tag isn't watched any more")

    def shown(self):
        """What is there, in the form of TagModel.shown()."""
        entries, notes = {}, {}
        for parent, folders, names in os.walk(self.point, onerror=raise_it):
            for name in sorted(folders):
                entries[self.below(parent, name)] = ("directory",)
            for name in sorted(names):
                path = os.path.join(parent, name)
                owner = os.path.relpath(parent, self.point)
                if name == tag_model.NOTES and "/" not in owner:
                    owner = "" if owner == "." else owner
                    notes[owner] = notes_of(path, not owner)
                else:
                    entries[self.below(parent, name)] = file_state(path)
        folders = [name for name in entries if "/" not in name]
        return {"entries": entries, "parts": {name: self.parts(name) for name in ["", *folders]},
                "notes": {owner: text for owner, text in notes.items() if text != {}}}

    def shown_if_steady(self):
        """None where something went while it was looked at."""
        try:
            return self.shown()
        except OSError:
            return None

    def parts(self, owner):
        return {part: line_of(os.path.join(self.path(owner), path))
                for part, path in tag_model.PARTS.items()}

    def attached(self, owner):
        """(what is to be attached, in the form of TagModel.attached(); the names of what was)"""
        folder = self.path(f"{owner}/{tag_model.REFERRERS}".lstrip("/"))
        names = set(os.listdir(folder))
        was = {name for name in names if "~" in name}
        return {kind: {name: file_state(os.path.join(folder, kind, name))
                       for name in os.listdir(os.path.join(folder, kind))}
                for kind in names - was}, was

    def below(self, parent, name):
        return os.path.relpath(os.path.join(parent, name), self.point)


def raise_it(error):
    raise error


def file_state(path):
    """As tag_model.File.state()."""
    status = os.lstat(path)
    with open(path, "rb") as file:
        data = file.read()
    if len(data) != status.st_size:
        raise Broken(f"{path}: stat says {status.st_size} bytes, read gives {len(data)}")
    return "file", len(data), hashlib.sha256(data).hexdigest(), bool(status.st_mode & stat.S_IXUSR)


def line_of(path):
    """None: there is no such file."""
    try:
        with open(path, encoding="utf-8") as file:
            return file.read().removesuffix("\n")
    except FileNotFoundError:
        return None


def notes_of(path, of_index):
    with open(path, encoding="utf-8") as file:
        text = file.read()
    try:
        return tag_model.parse_notes(text, of_index)
    except ValueError:
        return text
