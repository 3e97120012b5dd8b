#!/usr/bin/env python3
"""A second reader of the log, written from crates/journal/FORMAT.md alone.

Usage: read_log.py DATA_DIRECTORY [--records]
Checks every group, frame, chain, time, the tree, and the roots that checkpoints beside it sign; prints
one JSON object, with --records the records, one a line, before it. Exit 1 and a sentence if wrong.
"""

import base64
import datetime
import hashlib
import json
import pathlib
import struct
import sys
import uuid

TABLE = []
for byte in range(256):
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    TABLE.append(byte)


def crc(data):
    value = 0xFFFFFFFF
    for byte in data:
        value = value >> 8 ^ TABLE[(value ^ byte) & 0xFF]
    return value ^ 0xFFFFFFFF


def require(truth, file, offset, position, what):
    if not truth:
        sys.exit(f"{file.name}, byte {offset}, position {position}: {what}")


def instant(text):
    """A time as something that sorts: RFC 3339 in UTC, with up to nine digits of a second."""
    seconds, _, fraction = text.removesuffix("Z").partition(".")
    return datetime.datetime.fromisoformat(seconds), fraction.ljust(9, "0")


def push(peaks, hashed, size=1):
    """Adds a leaf hash to the roots of full subtrees, the largest first."""
    while peaks and peaks[-1][0] == size:
        hashed = hashlib.sha256(b"\1" + peaks.pop()[1] + hashed).digest()
        size *= 2
    peaks.append((size, hashed))


def root(peaks):
    hashed = peaks[-1][1] if peaks else hashlib.sha256(b"").digest()
    for _, left in reversed(peaks[:-1]):
        hashed = hashlib.sha256(b"\1" + left + hashed).digest()
    return hashed


class Log:
    def __init__(self, show, signed):
        self.show, self.signed, self.id, self.next = show, signed, None, 1
        self.heads, self.peaks, self.time, self.unfinished = {}, [], None, False

    def record(self, file, offset, data):
        fields = json.loads(data)
        stream = uuid.UUID(fields["subject"])
        version, leaf, _ = self.heads.get(stream, (0, "0" * 64, 0))
        require(fields["caseversion"] == version + 1, file, offset, self.next, "the caseversion does not follow")
        require(fields["prev"] == leaf, file, offset, self.next, "prev is not the leaf hash before")
        time = instant(fields["time"])
        require(self.time is None or time >= self.time, file, offset, self.next, "the time runs backwards")
        self.time = time
        hashed = hashlib.sha256(b"\0" + data).digest()
        self.heads[stream] = (version + 1, hashed.hex(), self.next)
        push(self.peaks, hashed)
        if self.show:
            print(data.decode())
        if self.next in self.signed:
            heads = []
            for stream, (version, _, position) in sorted(self.heads.items(), key=lambda head: head[0].bytes):
                push(heads, hashlib.sha256(b"\0" + stream.bytes + struct.pack("<QQ", version, position)).digest())
            want = [base64.b64encode(root(self.peaks)).decode(), f"heads {len(self.heads)} {base64.b64encode(root(heads)).decode()}"]
            require(self.signed[self.next] == want, file, offset, self.next, "a checkpoint signs something else")
        self.next += 1

    def group(self, file, data, at):
        """Reads the group at an offset; returns where it ends, or what is wrong with it."""
        head = data[at : at + 32]
        if len(head) < 32 or crc(head[:28]) != struct.unpack_from("<I", head, 28)[0]:
            return None, "the group's header is damaged"
        magic, version, first, count, length, check = struct.unpack("<4sB3xQIII", head[:28])
        require(magic == b"\x89TBG" and version == 1, file, at, self.next, "not a group of version 1")
        frames = data[at + 32 : at + 32 + length]
        if first != self.next or len(frames) != length or crc(frames) != check:
            return None, "the group is damaged"
        offset = 0
        for position in range(first, first + count):
            size, check = struct.unpack_from("<II", frames, offset)
            record = frames[offset + 8 : offset + 8 + size]
            require(crc(struct.pack("<QI", position, size) + record) == check, file, at + 32 + offset, position, "the frame is damaged")
            self.record(file, at + 32 + offset, record)
            offset += 8 + size
        require(offset == length, file, at, first, "bytes behind the last frame")
        return at + 32 + length, None

    def segment(self, file, bound):
        data = file.read_bytes()
        require(len(data) >= 64 and crc(data[:60]) == struct.unpack_from("<I", data, 60)[0], file, 0, self.next, "the header is damaged")
        magic, version, log, first = struct.unpack("<8sB7x16sQ", data[:40])
        require(magic == b"\x89TBSSEG\n" and version == 1, file, 0, self.next, "not a segment of version 1")
        self.id = self.id or log
        require(log == self.id and first == self.next == int(file.stem), file, 0, self.next, "not the next segment")
        at = 64
        while self.next != bound and any(data[at : at + 32]):
            end, wrong = self.group(file, data, at)
            if wrong:
                sealed = data[-16:-8] == b"\x89TBSFOO\n"
                if bound is None and not sealed:
                    self.unfinished = not self.later(data, at)
                require((bound is None and sealed) or self.unfinished, file, at, self.next, wrong)
                return
            at = end
        require(bound in (None, self.next), file, at, self.next, "records are missing")

    def later(self, data, at):
        """Whether the header of a later group stands behind an offset."""
        at = data.find(b"\x89TBG", at)
        while at >= 0:
            head = data[at : at + 32]
            if len(head) == 32 and crc(head[:28]) == struct.unpack_from("<I", head, 28)[0]:
                if struct.unpack_from("<Q", head, 8)[0] > self.next:
                    return True
            at = data.find(b"\x89TBG", at + 1)
        return False


def main():
    files = sorted((pathlib.Path(sys.argv[1]) / "log").glob("*.segment"))
    notes = [path.read_text().split("\n") for path in (pathlib.Path(sys.argv[1]) / "checkpoints").glob("*.checkpoint")]
    log = Log("--records" in sys.argv[2:], {int(lines[1]): lines[2:4] for lines in notes})
    bounds = [int(file.stem) for file in files[1:]] + [None]
    for file, bound in zip(files, bounds):
        log.segment(file, bound)
    found = {"records": log.next - 1, "streams": len(log.heads), "root": root(log.peaks).hex(), "checkpoints": len(notes), "unfinished": log.unfinished}
    if (behind := max(log.signed, default=0)) >= log.next:
        sys.exit(f"the log ends at {log.next - 1}, but a checkpoint signs {behind}")
    print(json.dumps(found))


main()
