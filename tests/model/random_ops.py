#!/usr/bin/env python3
"""Random operations on a mount and on a model in memory, compared after each.

    random_ops.py BUILD [--seed N] [--seeds COUNT] [--ops N] [--source oci|registry|fixture]
                  [--jobs N] [--verbose]

Each seed is a mount of its own: of a layout, of Debian's registry, or of the registry of the tests,
by turns where --source doesn't say. After each operation the mount shows what the model says:
names, sizes, bytes, execute bits, annotations. After each commit the store holds what the model
says, every document and blob checked by its digest; in the end skopeo finds the same. What fails
prints its seed, the last operations, and how to do it again.
"""
import argparse
import collections
import errno
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

# pylint: disable=wrong-import-position # they are beside this file
import attaching
import committing
import following
import giving
import live_mount
import operations
import others
import places
import stores
import tag_model

TAG = places.TAG
FOLLOWS = 20.0  # seconds within which a mount that is looked at shows what others have pushed
LAST = 25  # operations that are told of


class Run:
    """The operations of one seed."""

    def __init__(self, mount, store, job):
        self.mount, self.store, self.ops = mount, store, job.ops
        self.random = random.Random(job.seed)
        self.model = tag_model.TagModel()
        self.done, self.ticks = [], 0
        self.attached = {}  # what was ever attached, by the digest of its subject
        self.operations = {**operations.OPERATIONS, **committing.OPERATIONS,
                           **attaching.OPERATIONS, **giving.OPERATIONS, **others.OPERATIONS}
        self.counts = collections.Counter()

    def expect(self, number, call, *args):
        """A call that must end with this errno; 0: it succeeds."""
        try:
            call(*args)
            got = 0
        except OSError as error:
            got = error.errno
        if got != number:
            raise live_mount.Broken(
                f"{call.__name__}: {errno.errorcode.get(got, 'no error')} instead of "
                f"{errno.errorcode.get(number, 'no error')}\n{self.mount.said()}")

    @staticmethod
    def same(what, expected, got):
        found = tag_model.differences(expected, got)
        if found:
            raise live_mount.Broken(f"{what}\n    " + "\n    ".join(found))

    def catch_up(self):
        """What was in the way of a part of what others have made may have gone."""
        if self.model.base == self.model.committed:
            return
        followed = self.model.copy()
        following.follow(followed, followed.committed, self.mount.uncommitted())
        if followed.base != self.model.base:
            self.model = followed

    def compare(self):
        """What others have published is shown some moments after somebody has looked."""
        self.catch_up()
        expected, end = self.model.shown(), time.monotonic() + FOLLOWS
        got = self.mount.shown_if_steady()
        while self.ticks and got != expected and time.monotonic() < end:
            time.sleep(0.01)
            got = self.mount.shown_if_steady()
        self.same("the mount", expected, got or self.mount.shown())
        self.same("to be attached", self.model.attached(),
                  {name: self.mount.attached(name)[0] for name, _ in self.model.owners()})

    def compare_store(self):
        self.same("the store", self.model.committed, stores.published(self.store, TAG))

    def step(self):
        operation, = self.random.choices(list(self.operations), self.operations.values())
        self.done.append(operation.__name__)
        line = operation(self)
        if line is None:
            self.done.pop()
            return
        self.done[-1] = line
        self.counts[operation.__name__] += 1
        self.compare()

    def go(self):
        self.mount.start()
        while sum(self.counts.values()) < self.ops:
            self.step()
        while operations.mend(self):
            pass
        self.done.append("the last sync")
        committing.sync(self)
        self.compare()
        self.mount.unmount()


Job = collections.namedtuple("Job", "seed ops kind")


def run_seed(place, job):
    """(counts of the operations, None or why it failed)"""
    name = f"seed-{job.seed}"
    folder = os.path.join(place.folder, name)
    source, store = place.store(job.kind, name)
    run = Run(live_mount.Mount(os.path.join(place.build, "indexfs"), source, folder,
                               "refresh=1"), store, job)
    watchdog = threading.Timer(live_mount.PATIENCE + job.ops, run.mount.abort)
    watchdog.start()
    why = None
    try:
        run.go()
        if run.model.committed is not None:
            run.same("skopeo", run.model.committed,
                     stores.pull(place.skopeo_name(job.kind, name), TAG, folder + "/pulled"))
    except (live_mount.Broken, stores.Damaged, OSError,
            subprocess.CalledProcessError) as error:
        last = "\n    ".join(run.done[-LAST:])
        why = f"{error!r}" if isinstance(error, OSError) else str(error)
        why += f"\nafter {sum(run.counts.values())} operations, the last of them:\n    {last}\n" \
               f"{run.mount.said()}"
    finally:
        watchdog.cancel()
        run.mount.kill()
        shutil.rmtree(folder, ignore_errors=True)
    return run.counts, why


def run_all(place, options):
    begun = time.monotonic()
    kinds = [options.source] if options.source else places.KINDS
    seeds = range(options.seed, options.seed + options.seeds)
    jobs = [Job(seed, options.ops, kinds[seed % len(kinds)]) for seed in seeds]
    total, failed = collections.Counter(), 0
    print(f"seeds {seeds[0]} to {seeds[-1]}, {options.ops} operations each", flush=True)
    for job, (counts, why) in places.in_parallel(place, options.jobs, run_seed, jobs):
        total += counts
        failed += why is not None
        if why:
            print(f"FAILED: seed {job.seed}, {job.kind}: {why}\nagain: tests/model/random_ops.py "
                  f"{options.build} --seed {job.seed} --ops {job.ops} --source {job.kind}",
                  flush=True)
        elif options.verbose:
            print(f"ok seed {job.seed}, {job.kind}", flush=True)
    if options.verbose:
        print(", ".join(f"{name} {count}" for name, count in sorted(total.items())))
    print(f"{len(jobs)} seeds, {sum(total.values())} operations, {total['sync']} commits, "
          f"{total['kill']} kills, {failed} failed, {time.monotonic() - begun:.0f} s")
    return not failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--seed", type=int, default=random.randrange(1000000))
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--ops", type=int, default=1000)
    parser.add_argument("--source", choices=places.KINDS)
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with tempfile.TemporaryDirectory(prefix="indexfs-model.") as folder, \
            places.Place(os.path.abspath(options.build), folder) as place:
        good = run_all(place, options)
    sys.exit(0 if good else 1)


main()
