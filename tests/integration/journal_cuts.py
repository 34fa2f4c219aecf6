#!/usr/bin/env python3
"""A journal that ends anywhere, or is damaged anywhere, and what a mount makes of it.

    journal_cuts.py make MOUNT                  operations of every kind that the journal tells of
    journal_cuts.py cut JOURNAL OUT             a folder of journals: cut after each record (N.whole),
                                                and in the middle of the next (N.cut)
    journal_cuts.py flip JOURNAL OUT            with one bit wrong in each record (N.flip), and in the
                                                header (header.flip)
    journal_cuts.py view MOUNT                  all that a mount shows, as text
"""
import hashlib
import json
import os
import shutil
import sys

ANNOTATION = "user.oci.annotation."


def write(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)


def make(mount):
    amd64, arm64, riscv64 = (f"{mount}/linux-{name}" for name in ("amd64", "arm64", "riscv64"))
    write(f"{amd64}/a", "changed")
    write(f"{amd64}/new", "new")
    os.rename(f"{amd64}/new", f"{amd64}/d/newer")
    os.rename(f"{amd64}/d", f"{amd64}/e")
    os.unlink(f"{amd64}/b")
    os.chmod(f"{arm64}/a", 0o755)
    os.utime(f"{arm64}/b", (1000, 1000))
    os.truncate(f"{arm64}/d/c", 2)
    write(f"{arm64}/annotations.json", '{"a": {"k": "v"}, "$manifest": {"m": "n"}}')
    write(f"{mount}/annotations.json", '{"x": "y"}')
    os.setxattr(f"{arm64}/b", ANNOTATION + "q", b"r")
    os.setxattr(f"{arm64}/b", ANNOTATION + "s", b"t")
    os.removexattr(f"{arm64}/b", ANNOTATION + "q")
    os.setxattr(f"{amd64}/a", "user.oci.mediatype", b"text/plain")
    shutil.rmtree(f"{mount}/linux-s390x")
    write(f"{riscv64}/z", "z")
    write(f"{riscv64}/.z.swp", "scratch")
    os.rename(riscv64, f"{mount}/linux-ppc64le")
    with open(f"{mount}/linux-386/.oci/manifest.json") as file:
        manifest = json.load(file)
    write(f"{mount}/linux-386/.oci/manifest.json", json.dumps(manifest | {"x": 1}))
    os.rename(f"{amd64}/a", f"{arm64}/aa")


def boundaries(journal):
    """Where its header and its records end."""
    ends = [journal.index(b"\n") + 1]
    while ends[-1] < len(journal):
        length = int(journal[ends[-1]:ends[-1] + 8], 16)
        ends.append(ends[-1] + 8 + 1 + 16 + 1 + length + 1)
    return ends


def put(path, content):
    with open(path, "wb") as file:
        file.write(content)


def cut(journal, out):
    ends = boundaries(journal)
    for number, (end, following) in enumerate(zip(ends, ends[1:])):
        put(f"{out}/{number:03}.whole", journal[:end])
        put(f"{out}/{number:03}.cut", journal[:end + 1 + hash((end, 7)) % (following - end - 1)])


def flip(journal, out):
    ends = [0] + boundaries(journal)
    for number, (end, following) in enumerate(zip(ends, ends[1:])):
        spoiled = bytearray(journal)
        spoiled[(end + following) // 2] ^= 0x80
        put(f"{out}/" + (f"{number:03}.flip" if number else "header.flip"), spoiled)


def view(mount):
    for folder, folders, files in os.walk(mount):
        folders.sort()
        print(folder[len(mount):])
        for path in (f"{folder}/{name}" for name in sorted(files)):
            with open(path, "rb") as file:
                digest = hashlib.sha256(file.read()).hexdigest()
            notes = sorted((name, os.getxattr(path, name)) for name in os.listxattr(path)
                           if name.startswith(ANNOTATION) or name == "user.oci.mediatype")
            print(path[len(mount):], oct(os.stat(path).st_mode), digest, notes)
    with open(f"{mount}/.oci/status") as file:
        json.load(file)


def main():
    command, *args = sys.argv[1:]
    if command in ("cut", "flip"):
        with open(args[0], "rb") as file:
            args[0] = file.read()
    {"make": make, "cut": cut, "flip": flip, "view": view}[command](*args)


main()
