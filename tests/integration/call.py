#!/usr/bin/env python3
"""One file operation and how it ended, so that a test can assert an errno exactly.

    call.py OPERATION ARG...
    call.py --check       lines EXPECTED OPERATION ARG..., as a shell would split them

Prints "ok", the name of the errno ("EPERM"), or for an operation of several calls the call that
failed and its errno ("close EINVAL"). With --check: each line that ended in another way.
"""
import ctypes
import errno
import os
import shlex
import signal
import stat
import sys


def fsync(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def fsync_for(seconds, path):
    """fsync(2) that a signal interrupts: Python's own would go on."""
    signal.signal(signal.SIGALRM, lambda *_: None)
    fd = os.open(path, os.O_RDONLY)
    signal.setitimer(signal.ITIMER_REAL, float(seconds))
    if LIBC.fsync(fd) != 0:
        raise OSError(ctypes.get_errno(), "fsync")


def read(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        while os.read(fd, 1 << 20):
            pass
    finally:
        os.close(fd)


class Step(Exception):
    pass


def step(name, call, *args):
    try:
        return call(*args)
    except OSError as error:
        raise Step(f"{name} {errno.errorcode[error.errno]}") from error


def put(path, text):
    """open with O_TRUNC, write, close: what a shell's > does, but told apart."""
    fd = step("open", os.open, path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        step("write", os.write, fd, text.encode())
    except Step:
        os.close(fd)
        raise
    step("close", os.close, fd)


LIBC = ctypes.CDLL(None, use_errno=True)


def renameat2(old, new, flags):
    if LIBC.renameat2(-100, os.fsencode(old), -100, os.fsencode(new), int(flags)) != 0:
        raise OSError(ctypes.get_errno(), "renameat2")


def setxattr(path, name, value, *flags):
    """FLAGS: create, replace. A value of "@N" is N bytes, "x:..." bytes in hex."""
    if value.startswith("@"):
        data = b"x" * int(value[1:])
    else:
        data = bytes.fromhex(value[2:]) if value.startswith("x:") else os.fsencode(value)
    bits = {"create": os.XATTR_CREATE, "replace": os.XATTR_REPLACE}
    os.setxattr(path, name, data, sum(bits[flag] for flag in flags))


OPERATIONS = {
    "setxattr": setxattr,
    "getxattr": os.getxattr,
    "removexattr": os.removexattr,
    "fsync": fsync,
    "fsync-for": fsync_for,
    "read": read,
    "put": put,
    "mkdir": os.mkdir,
    "rmdir": os.rmdir,
    "unlink": os.unlink,
    "rename": os.rename,
    "rename-noreplace": lambda old, new: renameat2(old, new, 1),
    "exchange": lambda old, new: renameat2(old, new, 2),
    "link": os.link,
    "symlink": os.symlink,
    "mkfifo": os.mkfifo,
    "mknod": lambda path: os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 3)),
    "socket": lambda path: os.mknod(path, stat.S_IFSOCK | 0o600),
    "create": lambda path: os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644)),
    "open-read": lambda path: os.close(os.open(path, os.O_RDONLY)),
    "open-write": lambda path: os.close(os.open(path, os.O_WRONLY)),
    "stat": os.stat,
    "listdir": os.listdir,
    "statvfs": os.statvfs,
    "truncate": lambda path, size: os.truncate(path, int(size)),
}


def outcome(operation, *args):
    try:
        OPERATIONS[operation](*args)
    except Step as failed:
        return str(failed)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    return "ok"


def check(lines):
    for line in lines:
        expected, *call = shlex.split(line, comments=True) or [None]
        if call and (got := outcome(*call)) != expected:
            print(f"{line.strip()}: {got}")


def main():
    if sys.argv[1] == "--check":
        check(sys.stdin)
    else:
        print(outcome(*sys.argv[1:]))


main()
