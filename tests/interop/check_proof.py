#!/usr/bin/env python3
"""A second checker of proofs, written from crates/journal/FORMAT.md alone.

Usage: check_proof.py PROOF KEYS, a file as `tebessa journal key show` prints it. Prints what is proved as
one JSON object; exit 1 and a sentence if it is not.
"""

import base64
import json
import sys

from log_proofs import checkpoint, climb, prove_stream, require, sha256


def believed(text):
    """The keys of a list; one that is distrusted anywhere in it is none."""
    lines = [line.partition("#")[0].split() for line in text.splitlines()]
    require(all(line[:-1] in ([], ["signs"], ["retired"], ["distrusted"]) for line in lines), "the keys", "are none")
    struck = {line[-1] for line in lines if line[:-1] == ["distrusted"]}
    return {line[-1] for line in lines if line} - struck


def record(text, keys):
    """C2SP tlog-proof, with the record in it."""
    head, note = text.split("\n\n", 1)
    _, extra, index, *path = head.split("\n")
    data, index = base64.b64decode(extra.removeprefix("extra ")), int(index.removeprefix("index "))
    _, size, root, _, _ = checkpoint(note, keys)
    right = index < size and climb(sha256(b"\0", data), index, size, path) == root
    require(right, "the proof", "the record is not there")
    return {"position": index + 1, "size": size}


def case(proved, keys):
    records = [text.encode() for text in proved["records"]]
    origin, size, *roots = checkpoint(proved["checkpoint"], keys)
    prove_stream(proved["proof"], records, size, *roots)
    return {"case": proved["proof"]["stream"], "records": len(records), "origin": origin}


def between(proved, keys):
    """RFC 9162, 2.1.4.2."""
    (origin, old, *roots), (other, new, *later) = (checkpoint(proved[name], keys) for name in ("old", "new"))
    proof, path = proved["proof"], [base64.b64decode(part) for part in proved["proof"]["path"]]
    sizes = (proof["old_size"], proof["size"]) == (old, new) and old <= new
    require(origin == other and sizes, "the proof", "is of other checkpoints")
    said = {"old_size": old, "size": new}
    if old in (0, new):
        same = roots == later if old else roots[0] == sha256()
        require(not path and same, "the proof", "the checkpoints say different things")
        return said
    path = path if old & (old - 1) else [roots[0]] + path
    index, last = old - 1, new - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    require(path, "the proof", "has too few hashes")
    first = second = path[0]
    for hashed in path[1:]:
        require(last > 0, "the proof", "has too many hashes")
        if index & 1 or index == last:
            first, second = sha256(b"\1", hashed, first), sha256(b"\1", hashed, second)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            second = sha256(b"\1", second, hashed)
        index, last = index >> 1, last >> 1
    require(last == 0 and (first, second) == (roots[0], later[0]), "the proof", "does not lead to both roots")
    return said


def main(file, list_of_keys):
    with open(list_of_keys, encoding="utf-8") as keys, open(file, encoding="utf-8", newline="") as proof:
        keys, text = believed(keys.read()), proof.read()
    if text.startswith("c2sp.org/tlog-proof@v1\n"):
        said = record(text, keys)
    else:
        proved = json.loads(text)
        forms = {"tebessa-case-proof/v1": case, "tebessa-consistency-proof/v1": between}
        said = forms[proved["format"]](proved, keys)
    print(json.dumps(said))


main(*sys.argv[1:])
