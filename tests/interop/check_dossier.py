#!/usr/bin/env python3
"""A second checker of dossiers, written from crates/service/DOSSIER.md and crates/journal/FORMAT.md alone.

Usage: check_dossier.py DOSSIER KEY…, each a key that is believed. Prints what holds as one
JSON object, with the disclosed words; exit 1 and a sentence if something does not.
"""

import hashlib
import hmac
import json
import re
import sys
import tarfile

from log_proofs import checkpoint, prove_stream, require, sha256

NAMES = re.compile(r"(manifest|proof|disclosures|evidence|derived)\.json|checkpoint\.txt|records\.jsonl|index\.html"
    r"|(guidance/sha256-[0-9a-f]{64}\.toml)|(files/sha256-[0-9a-f]{64})")


def sealed(value, path=""):
    """Every personal field in an event's data: its path and its commitment."""
    if isinstance(value, dict) and value.keys() == {"key", "box", "commit"}:
        yield path, value["commit"]
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from sealed(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from sealed(inner, f"{path}[{number}]")


def main(file, *keys):
    with tarfile.open(file, "r:") as archive:
        members = archive.getmembers()
        names = [member.name for member in members]
        plain = all(member.isreg() and NAMES.fullmatch(member.name) for member in members)
        require(plain and names == sorted(set(names)), file, "holds what belongs into no dossier")
        files = {member.name: archive.extractfile(member).read() for member in members}
    origin, size, *roots = checkpoint(files["checkpoint.txt"].decode(), keys)
    lines = files["records.jsonl"].removesuffix(b"\n").split(b"\n")
    prove_stream(json.loads(files["proof.json"]), lines, size, *roots)
    records = [json.loads(line) for line in lines]
    fields = {(record["caseversion"], path): commit for record in records for path, commit in sealed(record["data"])}
    disclosed = json.loads(files["disclosures.json"])
    places = [(one["version"], one["path"]) for one in disclosed]
    require(places == sorted(set(places)), "disclosures.json", "is not in order")
    for one, place in zip(disclosed, places):
        text = json.dumps(one["words"], ensure_ascii=False).encode()
        made = hmac.new(bytes.fromhex(one["salt"]), text, hashlib.sha256).hexdigest()
        require(fields.get(place) == made, "disclosures.json", f"{place[1]} of version {place[0]} is not what was sealed")

    attached = {record["data"]["sha256"] for record in records if record["type"] == "tebessa.evidence.attached.v1"}
    profiles = {record["data"]["guidance"] for record in records if record["type"] == "tebessa.assessment.completed.v1"}
    guidance = {"sha256:" + name[16:-5]: data for name, data in files.items() if name.startswith("guidance/")}
    require(profiles <= guidance.keys(), "guidance", "a file that an assessment names is missing")
    pinned = [re.search(rb'^criteria = "(.+)"$', guidance[hashed], re.MULTILINE)[1].decode() for hashed in profiles]
    require(guidance.keys() == profiles.union(pinned), "guidance", "a file is missing, or is of no assessment")
    held = sum(name.startswith("files/") for name in files)
    for name, data in files.items():
        if name.startswith(("guidance/", "files/")):
            digest = name.split("sha256-")[1].removesuffix(".toml")
            require(sha256(data).hex() == digest, name, "is not the file of its hash")
            require(name.startswith("guidance/") or digest in attached, name, "is of no evidence of the case")

    manifest = json.loads(files.pop("manifest.json"))
    digests = {name: sha256(data).hex() for name, data in files.items()}
    require(manifest["files"] == digests, "manifest.json", "has other digests than the files")
    members = ("format", "case", "log", "size", "root", "records", "personal_fields", "disclosed")
    want = ["tebessa-dossier/v1", records[0]["subject"], origin, size, roots[0].hex(), len(records), len(fields), len(disclosed)]
    require([manifest[name] for name in members] == want, "manifest.json", "says something else than what was checked")
    counts = {"records": len(records), "fields": len(fields), "guidance": len(guidance), "files": held}
    print(json.dumps({"case": want[1], **counts, "words": [one["words"] for one in disclosed]}))


main(*sys.argv[1:])
