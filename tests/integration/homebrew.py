#!/usr/bin/env python3
"""Homebrew's documents, made here from docs/homebrew.md and from nothing of this program.

    homebrew.py FOLDER

writes, for each of three formulae NAME:

    FOLDER/NAME/tag             the tag's name
    FOLDER/NAME/order           its folders, in the order of the index
    FOLDER/NAME/mount/          what somebody would copy into a mount of the tag
    FOLDER/NAME/base.json       the index that is there before (only where bottles are added)
    FOLDER/NAME/want/           index.json, and config.json and manifest.json of each folder

Each formula is told as `brew bottle --json` tells it. What goes into the mount is the part of it that
nothing else says.
"""
import gzip
import hashlib
import io
import json
import os
import sys
import tarfile

OCI = "org.opencontainers.image."
BREW = "sh.brew."
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
MACOS = {"tahoe": "26", "sequoia": "15", "sonoma": "14", "monterey": "12", "big_sur": "11"}


def pretty(value):
    """Ruby's JSON.pretty_generate."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


def compact(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def filled(pairs):
    return {key: value for key, value in pairs.items() if value and value.strip()}


def outside_brackets(text):
    depth, kept = 0, ""
    for char in text:
        depth += char == "("
        kept += char if depth <= 0 else ""
        depth -= char == ")"
    return kept


def licenses(text):
    if len(text) <= 255:
        return text
    parts = []
    for term in text.split(" AND "):
        if parts and parts[-1].count("(") > parts[-1].count(")"):
            parts[-1] += " AND " + term
        else:
            parts.append(term)
    if any(" OR " in outside_brackets(term) for term in parts):
        return "LicenseRef-Homebrew-cannot-represent"  # AND binds tighter
    for kept in range(len(parts) - 1, 0, -1):
        short = " AND ".join([*parts[:kept], "LicenseRef-Homebrew-truncated"])
        if len(short) <= 255:
            return short
    return "LicenseRef-Homebrew-cannot-represent"


class Formula:
    def __init__(self, full_name, version, rebuild, org, bottles, **told):
        self.full_name = full_name
        self.name = full_name.split("/")[-1]
        self.version = version
        self.rebuild = rebuild
        self.org = org
        self.bottles = bottles
        self.told = told

    def tag(self):
        return self.version + (f"-{self.rebuild}" if self.rebuild else "")

    def ref_name(self, bottle_tag):
        return f"{self.version}.{bottle_tag}" + (f".{self.rebuild}" if self.rebuild else "")

    def file_name(self, bottle_tag):
        rebuild = f".{self.rebuild}" if self.rebuild else ""
        return f"{self.name}--{self.version}.{bottle_tag}.bottle{rebuild}.tar.gz"

    def documentation(self):
        if "/" not in self.full_name:
            return f"https://formulae.brew.sh/formula/{self.name}"
        return self.told.get("remote", "")

    def source(self):
        revision = self.told.get("revision") or "HEAD"
        return (
            f"https://github.com/{self.org}/homebrew-{self.told['repo']}/blob/{revision}/"
            f"Formula/{self.name}.rb"
        )

    def index_annotations(self):
        return filled(
            {
                "com.github.package.type": "homebrew_bottle",
                OCI + "created": self.told["date"],
                OCI + "description": self.told["desc"].encode("ascii", "ignore").decode().strip(),
                OCI + "documentation": self.documentation(),
                OCI + "licenses": licenses(self.told["license"]),
                OCI + "ref.name": self.tag(),
                OCI + "revision": self.told.get("revision"),
                OCI + "source": self.source(),
                OCI + "title": self.full_name,
                OCI + "url": self.told["homepage"],
                OCI + "vendor": self.org,
                OCI + "version": self.version,
            }
        )

    def given_annotations(self):
        """What the user writes at the top: in an order of their own, with a blank one."""
        given = {
            OCI + "version": self.version,
            OCI + "title": self.full_name,
            OCI + "url": self.told["homepage"],
            OCI + "vendor": self.org,
            OCI + "licenses": self.told["license"],
            OCI + "source": self.source(),
            OCI + "revision": self.told.get("revision", " "),
            OCI + "description": self.told["desc"],
            OCI + "created": self.told["date"],
        }
        if "remote" in self.told:
            given[OCI + "documentation"] = self.told["remote"]
        return given


class Bottle:
    def __init__(self, tag, tab, date=None, **told):
        self.tag = tag
        self.tab = tab
        self.date = date
        self.told = told

    def content(self, formula):
        """A tar of one small file, and the bottle made of it."""
        tar = io.BytesIO()
        text = f"{formula.full_name} {self.tag}\n".encode() * 100
        with tarfile.open(fileobj=tar, mode="w", format=tarfile.USTAR_FORMAT) as archive:
            info = tarfile.TarInfo(f"{formula.name}/{formula.version}/bin/{formula.name}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text))
        return tar.getvalue(), gzip.compress(tar.getvalue(), mtime=0)

    def built_on(self):
        return self.tab.get("built_on") or {}

    def platform(self):
        system = self.tag.split("_", 1)[1] if self.tag.startswith("arm64_") else self.tag
        arch = self.tab.get("arch") or ("arm64" if self.tag.startswith("arm64_") else "x86_64")
        named = {"Macintosh": "darwin", "Linux": "linux"}.get(self.built_on().get("os"))
        goos = named or ("linux" if self.tag.endswith("linux") else "darwin")
        version = self.built_on().get("os_version")
        if goos == "linux":
            version = (version or "Ubuntu 24.04").removesuffix(" LTS")
        else:
            version = version or f"macOS {MACOS[system]}"
        return {
            "architecture": {"arm64": "arm64", "x86_64": "amd64"}[arch],
            "os": goos,
            "os.version": version,
        }

    def folder(self):
        if self.tag == "all":
            return "any"
        platform = self.platform()
        return f"{platform['os']}-{platform['architecture']}@{platform['os.version']}"

    def published_tab(self):
        dropped = ("arch", "built_on") if self.tag == "all" else ()
        return compact({key: self.tab[key] for key in self.tab if key not in dropped})

    def annotations(self, formula, data):
        linux = self.platform()["os"] == "linux"
        return filled(
            {
                OCI + "ref.name": formula.ref_name(self.tag),
                BREW + "bottle.cpu.variant": (
                    self.built_on().get("oldest_cpu_family", "core2") if linux else None
                ),
                BREW + "bottle.digest": sha256(data),
                BREW + "bottle.glibc.version": (
                    self.built_on().get("glibc_version", "2.39") if linux else None
                ),
                BREW + "bottle.size": str(len(data)),
                BREW + "bottle.installed_size": self.told.get("installed_size"),
                BREW + "license": formula.told["license"],
                BREW + "tab": self.published_tab(),
                BREW + "sbom.supplement": self.told.get("sbom"),
                BREW + "path_exec_files": ",".join(self.told.get("path_exec_files", [])),
            }
        )

    def given_annotations(self, formula):
        """What the user writes in the folder; the tab as `jq` shows it, not as it's published."""
        descriptor = {
            BREW + "path_exec_files": ",".join(self.told.get("path_exec_files", [])),
            BREW + "tab": json.dumps(self.tab, indent=self.told.get("indent"), ensure_ascii=False),
            BREW + "bottle.installed_size": self.told.get("installed_size", ""),
        }
        if "sbom" in self.told:
            descriptor[BREW + "sbom.supplement"] = self.told["sbom"]
        given = {"$descriptor": descriptor}
        if self.date:
            given["$manifest"] = {OCI + "created": self.date}
            descriptor[BREW + "license"] = formula.told["license"]
        return given

    def documents(self, formula, index_annotations):
        """The config, the manifest and the entry of the index."""
        tar, data = self.content(formula)
        config = pretty(
            {
                **self.platform(),
                "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(tar)]},
            }
        )
        annotations = self.annotations(formula, data)
        overrides = {
            OCI + "created": self.date or formula.told["date"],
            OCI + "documentation": formula.documentation(),
            OCI + "title": f"{formula.full_name} {formula.ref_name(self.tag)}",
        }
        manifest = pretty(
            {
                "schemaVersion": 2,
                "config": {
                    "mediaType": CONFIG,
                    "digest": "sha256:" + sha256(config),
                    "size": len(config),
                },
                "layers": [
                    {
                        "mediaType": LAYER,
                        "digest": "sha256:" + sha256(data),
                        "size": len(data),
                        "annotations": {OCI + "title": formula.file_name(self.tag)},
                    }
                ],
                "annotations": dict(
                    sorted(filled({**index_annotations, **annotations, **overrides}).items())
                ),
            }
        )
        entry = {
            "mediaType": MANIFEST,
            "digest": "sha256:" + sha256(manifest),
            "size": len(manifest),
            "platform": self.platform(),
            "annotations": annotations,
        }
        if self.tag == "all":
            del entry["platform"]
        return config, manifest, entry


def write(path, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())


def index(entries, annotations):
    return pretty({"schemaVersion": 2, "manifests": entries, "annotations": annotations})


def write_formula(folder, formula, old=0):
    """old: how many of its bottles are there before; they stay as they are."""
    annotations = formula.index_annotations()
    entries = []
    for i, bottle in enumerate(formula.bottles):
        config, manifest, entry = bottle.documents(formula, annotations)
        entries.append(entry)
        want, mount = f"{folder}/want/{bottle.folder()}", f"{folder}/mount/{bottle.folder()}"
        write(f"{want}/config.json", config)
        write(f"{want}/manifest.json", manifest)
        write(f"{mount}/{formula.file_name(bottle.tag)}", bottle.content(formula)[1])
        write(f"{mount}/annotations.json", json.dumps(bottle.given_annotations(formula)))
        if i + 1 == old:
            write(f"{folder}/base.json", index(entries, annotations))
    given = annotations if old else formula.given_annotations()
    write(f"{folder}/mount/annotations.json", json.dumps(given, ensure_ascii=False, indent=1))
    write(f"{folder}/want/index.json", index(entries, annotations))
    write(f"{folder}/tag", formula.tag())
    write(f"{folder}/order", "".join(bottle.folder() + "\n" for bottle in formula.bottles))


def tab(arch, built_on, **more):
    return {
        "homebrew_version": "4.6.1-12-gabcdef0",
        "changed_files": ["bin/widget", 'share/"quoted" \\ name', "share/caf\u00e9/\U0001f37a"],
        "source_modified_time": 1691075089,
        "compiler": "clang",
        "runtime_dependencies": [
            {"full_name": "openssl@3", "version": "3.5.1", "revision": 0, "declared_directly": True}
        ],
        "arch": arch,
        "built_on": built_on,
        **more,
    }


def macintosh(version=None):
    told = {"os": "Macintosh", "os_version": version, "cpu_family": "dunno", "xcode": "16.4"}
    return {key: value for key, value in told.items() if value}


def linux(**more):
    return {"os": "Linux", "cpu_family": "penryn", **more}


def six_and_all(**more):
    """darwin and linux, arm64 and amd64, versions told and not told; and one for all."""
    return [
        Bottle("arm64_tahoe", tab("arm64", macintosh("macOS 26.0")), installed_size="123456",
               path_exec_files=["bin/widget", "sbin/widgetd"], indent=2, **more),
        Bottle("arm64_sequoia", tab("arm64", macintosh("macOS 15.5")), installed_size="99",
               sbom='{"packages":[{"SPDXID":"SPDXRef-Compiler"}]}', **more),
        Bottle("arm64_monterey", tab("arm64", macintosh()), indent="\t", **more),
        Bottle("sonoma", tab("x86_64", macintosh("macOS 14.6")), path_exec_files=["bin/widget"],
               **more),
        Bottle("x86_64_linux", tab("x86_64", linux(os_version="Ubuntu 22.04.5 LTS",
               glibc_version="2.35", oldest_cpu_family="nehalem")), indent=4, **more),
        Bottle("arm64_linux", tab(None, None), **more),
        Bottle("all", tab("arm64", macintosh("macOS 13.7")), indent=2, **more),
    ]


TOLD = {
    "repo": "core",
    "desc": " A widget\u2014for release engineers \U0001f37a ",
    "homepage": "https://example.com/widget/?a=b&c=<d>",
    "date": "2026-05-06T07:08:09Z",
}
TERMS = [f"LicenseRef-Example-{i}" for i in range(20)]


def main():
    out = sys.argv[1]
    write_formula(
        f"{out}/core",
        Formula("widget@2", "1.2.3_1", 2, "Homebrew", six_and_all(), revision="7716dfd",
                license="(MIT AND (ISC OR 0BSD)) AND " + " AND ".join(TERMS), **TOLD),
    )
    write_formula(
        f"{out}/tap",
        Formula("team/tap/gadget", "2.0", 0, "team", six_and_all(),
                remote="https://github.com/team/homebrew-tap", license=" OR ".join(TERMS),
                **{**TOLD, "repo": "tap"}),
    )
    old, new = six_and_all(), six_and_all(date="2026-06-01T00:00:00Z")
    write_formula(
        f"{out}/added",
        Formula("thing", "3", 1, "Homebrew", old[:3] + new[3:], revision="0", license="MIT", **TOLD),
        old=3,
    )


main()
