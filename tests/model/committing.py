"""The operation that publishes: what is here, merged with what others have published."""
import errno
import os

import attaching
import following
import live_mount


def conflicts(run):
    return {conflict["path"] for conflict in run.mount.status()["conflicts"]}


def commit_merged(run, merged):
    """What is committed here stands on merged.result, which is shown then."""
    run.model.commit()
    run.model.committed = merged.result
    following.follow(run.model, merged.result, set())
    run.compare_store()
    attaching.published(run)


def settle(run, found):
    """Each conflict for one side, or all for one: the last choice comes with the commit."""
    sides = ("ours", "theirs")
    side = run.random.choice(sides)
    choices, alike = dict.fromkeys(found, side), run.random.random() < 0.5
    if not alike:
        choices = {path: run.random.choice(sides) for path in sorted(found)}
    merged = run.model.merge(choices)
    attaching.remove_homeless(run, merged.result)
    if alike:
        run.mount.command("commit", f"--{side}", run.mount.point)
    else:
        # A file's choice is one for its annotations as well, so theirs come after it.
        for path in sorted(found, key=lambda path: (": " in path, path)):
            os.setxattr(run.mount.point, "user.oci.settle", f"{choices[path]} {path}".encode())
        run.expect(0, run.mount.sync)
    if merged.conflicts:
        raise live_mount.Broken(f"a conflict of {merged.conflicts} was passed over")
    commit_merged(run, merged)
    return f"sync, in conflict, settled: {choices}"


def sync(run):
    why = run.model.why_refused()
    if why:
        run.expect(errno.EINVAL, run.mount.sync)
        return f"sync, refused: {why}"
    merged = run.model.merge()
    attaching.remove_homeless(run, merged.result)
    found = set()
    if merged.conflicts or merged.unsure:
        try:
            run.mount.sync()
        except OSError as error:
            if error.errno != errno.ESTALE:
                raise
            found = conflicts(run)
        if not merged.conflicts <= found <= merged.conflicts | merged.unsure:
            raise live_mount.Broken(f"conflicts: expected {merged.conflicts}, maybe "
                                    f"{merged.unsure}, found {found}\n{run.mount.said()}")
    else:
        run.expect(0, run.mount.sync)
    if not found:
        commit_merged(run, merged)
        return "sync"
    run.counts["conflict"] += 1
    if run.random.random() < 0.2:
        return f"sync, in conflict: {found}"
    return settle(run, found)


OPERATIONS = {sync: 9}
