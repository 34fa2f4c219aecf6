"""What is attached by way of .oci/referrers: it waits beside its owner, the tag or a platform folder,
and is published with the next commit, with what that has made of its owner for its subject.
"""
import os
import shutil
import subprocess

import operations
import stores
import tag_model

KINDS = ("application.spdx+json", "application.vnd.example.sig")
FILES_MAX = 3


def path_of(owner, kind):
    return f"{owner}/{tag_model.REFERRERS}/{kind}".lstrip("/")


def some_attachment(run):
    """(owner, kind), there or not."""
    return operations.some_owner(run), run.random.choice(KINDS)


def attach(run):
    """Copies a file of the mount, or writes one."""
    owner, kind = some_attachment(run)
    name, folder = run.random.choice(operations.NAMES), path_of(owner, kind)
    files = run.model.owner(owner).attached.get(kind, {})
    source = operations.some_file(run)
    if len(files) >= FILES_MAX or name in files:
        return None
    os.makedirs(run.mount.path(folder), exist_ok=True)
    if source and run.random.random() < 0.6:
        subprocess.run(["cp", run.mount.path(source), run.mount.path(f"{folder}/{name}")],
                       check=True)
        file = run.model.file(source)
        run.model.attach(owner, kind, name, tag_model.File(file.data, file.executable))
        return f"cp {source} {folder}/{name}"
    data = operations.random_bytes(run)
    operations.put(run, f"{folder}/{name}", data)
    run.model.attach(owner, kind, name, tag_model.File(data))
    return f"write {folder}/{name}, {len(data)} bytes"


def detach(run):
    owner, kind = some_attachment(run)
    if kind not in run.model.owner(owner).attached:
        return None
    return remove(run, owner, kind)


def remove(run, owner, kind):
    shutil.rmtree(run.mount.path(path_of(owner, kind)))
    del run.model.owner(owner).attached[kind]
    return f"rm -r {path_of(owner, kind)}"


def remove_homeless(run, result):
    """A commit is refused where something has no subject here, or in what is to be published."""
    ours = run.model.published() or {"folders": {}}
    homes = {"", *(result["folders"].keys() & ours["folders"])} if result else set()
    for name, owner in run.model.owners():
        for kind in list(owner.attached) if name not in homes else []:
            run.done.append(remove(run, name, kind))


def published(run):
    """After a commit: what was waiting is found by the digest of its subject, and nothing else."""
    subjects = stores.subjects(run.store, operations.TAG)
    for name, owner in run.model.owners():
        for kind, files in owner.attached.items():
            states = {title: file.state() for title, file in files.items()}
            of_subject = run.attached.setdefault(subjects[name], [])
            if (kind, states) not in of_subject:
                of_subject.append((kind, states))
        owner.attached = {}
    for name, subject in subjects.items():
        compare(run, name, subject)


def compare(run, name, subject):
    found = stores.attached(run.store, subject, KINDS)
    run.same(f"attached to {name or 'the index'}", as_counted(run.attached.get(subject, [])),
             as_counted(found.values()))
    names = {f"{kind}~{digest.split(':')[1][:12]}" for digest, (kind, _) in found.items()}
    run.same(f"shown as attached to {name or 'the index'}", names,
             {shown for shown in run.mount.attached(name)[1] if shown.split("~")[0] in KINDS})


def as_counted(attachments):
    return sorted((kind, sorted(files.items())) for kind, files in attachments)


OPERATIONS = {attach: 8, detach: 3}
