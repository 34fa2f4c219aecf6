#!/usr/bin/env python3
"""One file operation and how it ended, so that a test can assert an errno exactly.

    call.py OPERATION ARG...

Prints "ok", the name of the errno ("EPERM"), or for an operation of several calls the call that
failed and its errno ("close EINVAL").
"""
import ctypes
import errno
import os
import stat
import sys


def fsync(path):
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


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


OPERATIONS = {
    "fsync": fsync,
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


def main():
    try:
        OPERATIONS[sys.argv[1]](*sys.argv[2:])
    except Step as failed:
        print(failed)
    except OSError as error:
        print(errno.errorcode.get(error.errno, error.errno))
    else:
        print("ok")


main()
