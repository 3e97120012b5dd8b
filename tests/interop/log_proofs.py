"""What other programs check of a log: signed notes and proofs, written from crates/journal/FORMAT.md alone."""

import base64
import hashlib
import json
import struct
import sys
import uuid

from ed25519 import is_signature


def require(truth, name, what):
    if not truth:
        sys.exit(f"{name}: {what}")


def sha256(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def checkpoint(note, keys):
    """What a note says, if one of the keys signed it: origin, size, root, streams, heads root."""
    text, _, lines = note.rpartition("\n\n")
    origin, size, root, _, streams, heads = text.replace(" ", "\n").split("\n")
    known = {}
    for name, key_id, encoded in (key.split("+", 2) for key in keys):
        key = base64.b64decode(encoded)
        require(key[0] == 1 and sha256(name.encode(), b"\n", key)[:4].hex() == key_id, name, "is no key")
        known[name, key_id] = key[1:]
    signed = False
    for line in lines.splitlines():
        _, name, encoded = line.split(" ")
        signature = base64.b64decode(encoded)
        key = known.get((name, signature[:4].hex())) if name == origin else None
        right = key is not None and is_signature(key, (text + "\n").encode(), signature[4:])
        require(key is None or right, "the checkpoint", "a signature is wrong")
        signed |= right
    require(signed, "the checkpoint", "no key that is believed signed it")
    return origin, int(size), base64.b64decode(root), int(streams), base64.b64decode(heads)


def climb(hashed, index, size, path):
    """The root of a tree, from a leaf hash, its index and its audit path (RFC 9162, 2.1.3.2)."""
    last = size - 1
    for sibling in map(base64.b64decode, path):
        require(last > 0, "the proof", "has too many hashes")
        if index & 1 or index == last:
            hashed = sha256(b"\1", sibling, hashed)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            hashed = sha256(b"\1", hashed, sibling)
        index, last = index >> 1, last >> 1
    require(last == 0, "the proof", "has too few hashes")
    return hashed


def prove_stream(proof, records, size, root, streams, heads_root):
    """That these are all records of the stream: FORMAT.md, "Proof of a stream"."""
    positions, path = proof["positions"], [base64.b64decode(part) for part in proof["path"]]
    rise = all(low < high for low, high in zip([0] + positions, positions + [size + 1]))
    require(proof["size"] == size and len(positions) == len(records) > 0 and rise, "the proof", "is of others")
    before, leaves = "0" * 64, {}
    for number, (record, position) in enumerate(zip(records, positions), 1):
        said = json.loads(record)
        named = (said["subject"], said["caseversion"], said["prev"])
        require(named == (proof["stream"], number, before), "the records", f"record {number} does not follow")
        leaves[position] = sha256(b"\0", record)
        before = leaves[position].hex()

    def walk(start, count):
        inside = [position for position in positions if start < position <= start + count]
        if not inside:
            require(path, "the proof", "has too few hashes")
            return path.pop(0)
        if count == 1:
            return leaves[inside[0]]
        left = 1 << (count - 1).bit_length() - 1
        return sha256(b"\1", walk(start, left), walk(start + left, count - left))

    require(walk(0, size) == root and not path, "the proof", "the records are not those that were signed")
    head = struct.pack("<16sQQ", uuid.UUID(proof["stream"]).bytes, len(records), positions[-1])
    require(0 <= proof["head_index"] < streams, "the proof", "the head is none of the tree's")
    hashed = climb(sha256(b"\0", head), proof["head_index"], streams, proof["head_path"])
    require(hashed == heads_root, "the proof", "these are not all records of the case")
