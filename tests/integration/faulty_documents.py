#!/usr/bin/env python3
"""Writes malformed documents to a mount, and judges what comes of each.

    faulty_documents.py FOLDER TAG PLATFORM

FOLDER has a file for each, "PATH\\nFAULT\\n" and the document (test_model_document_check --write).
Each goes to TAG/.oci/index.json or TAG/PLATFORM/.oci/manifest.json, by its shape: close has to say
EINVAL, the text has to stay, and the status has to tell the place and the reason. Prints how many
there were; what came out otherwise is an exit status of 1.
"""
import errno
import json
import os
import sys


def put(path, text):
    """The errno of close, 0 where it succeeds."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
    try:
        os.write(fd, text)
    finally:
        try:
            os.close(fd)
        except OSError as error:
            return error.errno
    return 0


def draft(tag, name):
    with open(f"{tag}/.oci/status", encoding="utf-8", errors="replace") as file:
        for item in json.load(file)["drafts"]:
            if item["path"] == name:
                return item["message"]
    return ""


def is_like_a_manifest(text):
    """What calls itself a manifest, or has what one has and doesn't call itself an index."""
    try:
        own = json.loads(text).get("mediaType")
    except (ValueError, AttributeError):
        own = None
    if isinstance(own, str) and ("index" in own or "list" in own or "manifest.v1" in own):
        return "manifest.v1" in own
    return b'"layers"' in text or b'"config"' in text


def judge(tag, name, place, fault, text):
    result = put(f"{tag}/{name}", text)
    if result != errno.EINVAL:
        return f"close was {errno.errorcode.get(result, result)}"
    with open(f"{tag}/{name}", "rb") as file:
        if file.read() != text:
            return "it doesn't read back"
    message = draft(tag, name)
    if not message.startswith(place) or fault not in message or "line " not in message:
        return f"status says {message!r}, not {place!r} and {fault!r}"
    return None


def main():
    folder, tag, platform = sys.argv[1:]
    count = wrong = 0
    for number in sorted(os.listdir(folder)):
        with open(f"{folder}/{number}", "rb") as file:
            place, fault, text = file.read().split(b"\n", 2)
        is_manifest = is_like_a_manifest(text)
        name = f"{platform}/.oci/manifest.json" if is_manifest else ".oci/index.json"
        # nothing that is written is no write: close can't know
        if not text:
            continue
        count += 1
        what = judge(tag, name, place.decode(), fault.decode(), text)
        if what:
            wrong += 1
            print(f"{number} {text!r}: {what}", file=sys.stderr)
    print(count)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
