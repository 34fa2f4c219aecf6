#!/usr/bin/env python3
"""Runs a program on a terminal of its own and answers what it asks.

    terminal.py ANSWER... -- COMMAND...

Each ANSWER is typed, with a newline, when the program has asked with ": ", or with what PROMPT
says in the environment ("^C": the interrupt key). Prints what was to be seen on the terminal, then "exit N" (negative: a signal) and whether
the terminal still echoes.
"""
import fcntl
import os
import pty
import select
import sys
import termios
import time

LIMIT = 60
PROMPT = os.environ.get("PROMPT", ": ").encode()


def read_until(master, seen, end):
    """Reads up to the text end, or to the end where that is None."""
    until = time.monotonic() + LIMIT
    while end is None or end not in seen[0]:
        left = max(0, until - time.monotonic())
        if not select.select([master], [], [], left)[0] or not left:
            sys.exit(f"terminal.py: no {end!r} in {LIMIT} s, after {seen[0][-1000:]!r}")
        try:
            got = os.read(master, 4096)
        except OSError:
            got = b""
        if not got:
            return
        seen[0] += got
        seen[1] += got


def main():
    split = sys.argv.index("--")
    answers, command = sys.argv[1:split], sys.argv[split + 1:]
    master, slave = pty.openpty()
    pid = os.fork()
    if pid == 0:
        os.close(master)
        os.setsid()
        adopt(slave)
        os.execvp(command[0], command)
    seen = [b"", b""]
    for answer in answers:
        read_until(master, seen, PROMPT)
        seen[0] = b""
        os.write(master, b"\x03" if answer == "^C" else answer.encode() + b"\n")
    _, status = os.waitpid(pid, 0)
    echo = termios.tcgetattr(slave)[3] & termios.ECHO
    os.close(slave)
    read_until(master, seen, None)
    sys.stdout.write(seen[1].decode(errors="replace").replace("\r\n", "\n"))
    print(f"exit {os.waitstatus_to_exitcode(status)}, echo {'on' if echo else 'off'}")


def adopt(slave):
    """The new session's terminal, on the three standard streams."""
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in range(3):
        os.dup2(slave, fd)


main()
