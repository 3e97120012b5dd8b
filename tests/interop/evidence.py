"""Attaches a file to a case and reads it back, as any NATS client can: nats-py and nothing of ours.

Arguments: the NATS server's URL, the case. Prints the command's answer as one line of JSON.
"""

import asyncio
import hashlib
import json
import sys
import uuid

import nats

FILE = bytes(range(256)) * 3_000


async def query(client, name, body):
    return await client.request(f"tebessa.query.{name}", json.dumps(body).encode(), timeout=30)


async def main(url, case):
    client = await nats.connect(url)
    inbox = await client.jetstream().object_store("evidence-inbox")
    upload, evidence = str(uuid.uuid4()), str(uuid.uuid4())
    await inbox.put(upload, FILE)
    command = {
        "id": str(uuid.uuid4()),
        "case": case,
        "actor": {"id": "registrar-1", "role": "registrar", "basis": "test"},
        "occurred": "2024-01-02",
        "data": {
            "evidence": evidence, "kind": "photo_video", "source": "a neighbour", "language": "uk",
            "sha256": hashlib.sha256(FILE).hexdigest(), "size": len(FILE),
            "media_type": "image/jpeg", "upload": upload,
        },
    }
    answer = await client.request(
        "tebessa.cmd.evidence.attach", json.dumps(command).encode(), timeout=30
    )
    opened = json.loads((await query(client, "evidence-file", {"case": case, "evidence": evidence})).data)
    parts = [
        (await query(client, "evidence-part", {"ticket": opened["ticket"], "part": part})).data
        for part in range(opened["parts"])
    ]
    assert b"".join(parts) == FILE, "other bytes came back"
    assert opened["size"] == len(FILE)
    checked = json.loads((await query(client, "evidence-check", {"case": case, "evidence": evidence})).data)
    assert checked["found"] == "whole", checked
    assert len(await names(inbox)) == 0, "the inbox still holds the upload"
    print(answer.data.decode())
    await client.drain()


async def names(inbox):
    try:
        return [info for info in await inbox.list() if not info.deleted]
    except nats.js.errors.NotFoundError:
        return []


asyncio.run(main(*sys.argv[1:]))
