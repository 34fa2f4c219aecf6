"""Where mounts of a test are: a folder, and the stores that they are of; and many at a time."""
import multiprocessing
import os
import signal

import live_mount
import stores

TAG = "v1"
KINDS = ("oci", "registry", "fixture")


class Place:
    """Servers that run as long as it is open; mounts that were left go with it."""

    def __init__(self, build, folder):
        self.build, self.folder, self.servers = build, folder, {}

    def __enter__(self):
        self.servers["registry"] = stores.Distribution(os.path.join(self.folder, "debian"))
        self.servers["fixture"] = stores.Fixture(os.path.join(self.folder, "fixture"), self.build)
        return self

    def __exit__(self, *_):
        live_mount.unmount_below(self.folder)
        for server in self.servers.values():
            server.stop()

    def layout(self, name):
        return os.path.join(self.folder, name + ".layout")

    def store(self, kind, name):
        """(source of the mount, the store as another client sees it)"""
        if kind == "oci":
            return f"oci:{self.layout(name)}:{TAG}", stores.Layout(self.layout(name))
        host = self.servers[kind].host
        return f"{host}/{name}:{TAG}", stores.Repository(host, name)

    def skopeo_name(self, kind, name):
        return f"oci:{self.layout(name)}" if kind == "oci" else \
            f"docker://{self.servers[kind].host}/{name}"


def begin_worker(place, function):
    global WORK  # pylint: disable=global-variable-undefined # a worker has one
    WORK = place, function
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def work(item):
    place, function = WORK
    return item, function(place, item)


def in_parallel(place, jobs, function, items):
    """(item, function(place, item)) of each, as they end."""
    with multiprocessing.Pool(jobs, begin_worker, (place, function)) as pool:
        yield from pool.imap_unordered(work, items)
        pool.close()
        pool.join()
