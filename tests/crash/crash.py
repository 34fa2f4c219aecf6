#!/usr/bin/env python3
"""Kills the program at each of its crash points, and looks at what is left.

    crash.py BUILD [--all] [--jobs N] [--filter REGEX] [--verbose]

BUILD/crash/indexfs is the build of `make CRASH=1`; the fixtures are BUILD's own. A scenario is run
once to see which points it passes and how often; then once for each of these passings (without
--all: for the first, one in the middle and the last of each point in each mount), with a kill at it. After the kill
  - the tag is what it was before or after the step, and leads to nothing that is missing;
  - the next mount shows the state before or after the step, or the beginning of the one file that
    was being written;
  - the scenario goes on, up to a commit, and then the store holds exactly what the model says.
The names of the points are read from the source. One that no scenario passes is a failure. How often
a point is passed depends on time (when it's noted that bytes are on disk): a later passing that
doesn't come is counted, and said.
"""
import argparse
import collections
import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "model")]

# pylint: disable=wrong-import-position # they are beside this file
import live_mount
import places
import scenarios
import stores
import tag_model

TAG = places.TAG
LIMIT = 120  # seconds for a case, with every wait in it

Scenario = collections.namedtuple("Scenario", "name store points steps")
SCENARIOS = [
    Scenario("registry", "registry", r"^(?!layout|upload\.chunk)",
             scenarios.everyday),
    Scenario("fixture", "fixture", r"^(?!layout|upload\.chunk)", scenarios.everyday),
    Scenario("layout", "oci", r"^(?!upload|http|document)", scenarios.everyday_in_two_mounts),
    Scenario("attach", "registry", r"^attach", scenarios.attaching),
    Scenario("large", "registry", r"^(upload\.chunk|http\.body)", scenarios.large),
]


class CrashingMount(live_mount.Mount):
    """Knows which of its lives has a crash point armed, or has each traced."""

    def __init__(self, *args):
        super().__init__(*args)
        self.lives, self.armed, self.traces = 0, None, None

    def start_next(self):
        self.lives += 1
        environment = {}
        if self.traces:
            environment["INDEXFS_CRASH_TRACE"] = f"{self.traces}.{self.lives}"
        if self.armed and self.armed[0] == self.lives:
            environment["INDEXFS_CRASH"] = f"{self.armed[1]}:{self.armed[2]}"
        return self.start(**environment)


class Run:
    """One run of a scenario, to its end; with a crash in it where the mount has one armed."""

    def __init__(self, mount, store, steps):
        self.mount, self.store, self.steps = mount, store, steps
        self.model = tag_model.TagModel()
        self.crashed = None

    def same(self, what, expected, got):
        found = tag_model.differences(expected, got)
        if found:
            raise live_mount.Broken(what + "\n    " + "\n    ".join(found))

    def is_killed(self):
        """Whether the daemon has ended, after a call that has failed."""
        if not self.mount.process:
            return True
        try:
            live_mount.wait_until(self.mount.has_died, "")
        except live_mount.Broken:
            return False
        return True

    def attempt(self, step):
        """True; False where the daemon was killed meanwhile."""
        number = None
        try:
            step.do(self.mount)
        except OSError as error:
            number = error.errno
        try:
            self.mount.settle()
        except OSError:
            if self.is_killed():
                return False
            raise
        if number != step.refused:
            raise live_mount.Broken(f"{step.name}: errno {number} instead of {step.refused}")
        return True

    def judge(self, step, before, after):
        """The model that the mount shows after a crash in this step."""
        got = self.mount.shown()
        for model in (after, before, step.middle(before, self.mount)):
            if model and not tag_model.differences(model.shown(), got):
                return model
        self.same(f"after a crash in \"{step.name}\", neither before nor", after.shown(), got)
        return None

    def judge_store(self, step, before, after):
        """Whether a commit was done that a crash has interrupted."""
        got = stores.published(self.store, TAG)
        if step.is_commit and not tag_model.differences(after.committed, got):
            return True
        self.same(f"the store, after a crash in \"{step.name}\"", before.committed, got)
        return False

    def recover(self, step, after):
        """Mounts again. True where the step needn't be done again. A commit isn't, at once: what is
        done next finds a tag that has moved, or not."""
        before = self.model
        if self.mount.process:
            self.mount.died(-signal.SIGKILL)
        self.crashed = step
        committed = self.judge_store(step, before, after)
        if not self.mount.start():
            raise live_mount.Broken("the next mount was killed too")
        self.model = self.judge(step, before, after)
        lost = [error for error in self.mount.status()["errors"] if "restored" in str(error)]
        if lost:
            raise live_mount.Broken(f"after a crash in \"{step.name}\": {lost}")
        if step.is_commit:
            self.model = after if committed else before
        return self.model is after or step.is_commit

    def one(self, step):
        after = self.model.copy()
        step.apply(after)
        if not self.attempt(step):
            if not self.recover(step, after):
                self.one(step)
            return
        self.model = after

    def is_mended(self, step):
        """Whether all that a crash in an earlier step has left was committed by this one."""
        return step.is_commit and self.crashed and step is not self.crashed and \
            self.model.committed == self.model.published()

    def go(self):
        begin = scenarios.Step("mount", lambda mount: mount.start_next(), lambda model: None)
        look = scenarios.Step("look", lambda mount: mount.shown(), lambda model: None)
        for step in (begin, *self.steps, scenarios.Sync(), look):
            self.one(step)
            if step.is_commit:
                self.same("the store, after a commit", self.model.committed,
                          stores.published(self.store, TAG))
            if self.is_mended(step):
                break
        self.same("the mount, in the end", self.model.shown(), self.mount.shown())
        self.mount.kill()


class Case:
    """A scenario, and the crash in it: (life of the mount, point, passing); None for the trace."""

    def __init__(self, scenario, number, crash):
        self.scenario, self.number, self.crash = scenario, number, crash

    def __str__(self):
        return "%s: mount %d, %s, passing %d" % (self.scenario.name, *self.crash) \
            if self.crash else f"{self.scenario.name}: without a crash"


class DidNotCome(str):
    """The scenario was right to its end, without the passing at which it was to be killed."""


def run_case(place, case, trace=None):
    """None, or why it failed, or DidNotCome."""
    name = f"case-{case.number}"
    folder = os.path.join(place.folder, name)
    source, store = place.store(case.scenario.store, name)
    mount = CrashingMount(os.path.join(place.build, "crash/indexfs"), source, folder)
    mount.armed, mount.traces = case.crash, trace
    run = Run(mount, store, case.scenario.steps())
    watchdog = threading.Timer(LIMIT, lambda: mount.process and mount.process.kill())
    watchdog.start()
    try:
        run.go()
        if case.crash and not run.crashed:
            return DidNotCome("the point wasn't passed so often")
        return None
    except (live_mount.Broken, stores.Damaged, OSError) as error:
        return f"{error!r}" if isinstance(error, OSError) else str(error)
    finally:
        watchdog.cancel()
        mount.kill()
        if not trace:
            shutil.rmtree(folder, ignore_errors=True)


def points_in_source():
    names = []
    for folder in ("registry", "fs"):
        for parent, _, files in os.walk(os.path.join(ROOT, folder)):
            for file in files:
                if file.endswith((".c", ".h")):
                    with open(os.path.join(parent, file), encoding="utf-8") as source:
                        names += re.findall(r'CRASH_(?:POINT|TORN)\(\s*"([^"]*)"', source.read())
    twice = [name for name, count in collections.Counter(names).items() if count > 1]
    if twice or not names:
        raise live_mount.Broken(f"points that stand twice in the source: {twice}")
    return set(names)


def passings(place, scenario, number):
    """(Point, life) -> each of its passings there as (life, point, passing), of a run without a
    crash."""
    trace = os.path.join(place.folder, f"trace-{number}")
    why = run_case(place, Case(scenario, number, None), trace)
    if why:
        raise live_mount.Broken(f"{scenario.name}, without a crash: {why}")
    found = collections.defaultdict(list)
    life = 1
    while os.path.exists(f"{trace}.{life}"):
        counts = collections.Counter()
        with open(f"{trace}.{life}", encoding="ascii") as file:
            for point in file.read().split():
                counts[point] += 1
                if re.search(scenario.points, point):
                    found[point, life].append((life, point, counts[point]))
        life += 1
    return found


def some(by_scenario, turn):
    """The first, one in the middle and the last passing, each in another scenario if there are
    some; turn: where to begin."""
    picked = {}
    for number, part in enumerate((0, 0.5, 1)):
        scenario, crashes = by_scenario[(turn + number) % len(by_scenario)]
        crash = crashes[int(part * (len(crashes) - 1))]
        picked.setdefault(crash, scenario)
    return [(scenario, crash) for crash, scenario in picked.items()]


def make_cases(place, every):
    """All cases, and the points that are passed nowhere."""
    by_point = collections.defaultdict(list)
    for number, scenario in enumerate(SCENARIOS):
        for where, crashes in passings(place, scenario, number).items():
            by_point[where].append((scenario, crashes))
    picked = []
    for turn, (_, by_scenario) in enumerate(sorted(by_point.items())):
        picked += [(scenario, crash) for scenario, crashes in by_scenario for crash in crashes] \
            if every else some(by_scenario, turn)
    cases = [Case(scenario, 1000 + i, crash) for i, (scenario, crash) in enumerate(picked)]
    return cases, points_in_source() - {point for point, _ in by_point}


def run_all(place, options):
    begun = time.monotonic()
    cases, missing = make_cases(place, options.all)
    cases = [case for case in cases if re.search(options.filter, str(case))]
    failed = absent = 0
    for case, why in places.in_parallel(place, options.jobs, run_case, cases):
        if isinstance(why, DidNotCome) and case.crash[2] > 1:
            absent += 1
            print(f"no crash: {case}: {why}")
            continue
        failed += why is not None
        if why or options.verbose:
            print(f"FAILED: {case}: {why}" if why else f"ok {case}", flush=True)
    for point in sorted(missing):
        print(f"FAILED: no scenario passes the point {point}")
    points = {case.crash[1] for case in cases}
    failed += len(missing)
    print(f"{len(points)} crash points, {len(cases) - absent} crashes, {failed} failed, "
          f"{time.monotonic() - begun:.0f} s")
    return failed == 0 and bool(cases)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--jobs", type=int, default=4)
    parser.add_argument("--filter", default="")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        with tempfile.TemporaryDirectory(prefix="indexfs-crash.") as folder, \
                places.Place(os.path.abspath(options.build), folder) as place:
            good = run_all(place, options)
    except live_mount.Broken as error:
        good = False
        print(f"FAILED: {error}")
    sys.exit(0 if good else 1)


main()
