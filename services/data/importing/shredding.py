"""Destroying an uploaded file on the bus: its pieces are overwritten where they lie, not only forgotten.

A purge, which deleting an object is, leaves the bytes in the stream's file until it is compacted. Deleting a message by its number
overwrites it (JetStream API STREAM.MSG.DELETE without `no_erase`).
"""

from __future__ import annotations

from typing import Any

import nats.js.errors
from nats.js.object_store import OBJ_CHUNKS_PRE_TEMPLATE

from libs.contracts.subjects import Bucket


async def shred(jetstream: Any, bucket: Bucket, name: str) -> int:
    """Overwrite and forget an object. Returns how many pieces there were; none when it is gone already.

    Raises nats.js.errors.Error when the bus refuses.
    """
    store = await jetstream.object_store(bucket.name)
    try:
        info = await store.get_info(name)
    except (nats.js.errors.ObjectNotFoundError, nats.js.errors.ObjectDeletedError):
        return 0
    stream, subject = f"OBJ_{bucket.name}", OBJ_CHUNKS_PRE_TEMPLATE.format(bucket=bucket.name, obj=info.nuid)
    pieces, seq = 0, 1
    while True:
        try:
            found = await jetstream.get_msg(stream, seq=seq, subject=subject, next=True)
        except nats.js.errors.NotFoundError:
            break
        await jetstream.delete_msg(stream, found.seq)
        pieces, seq = pieces + 1, found.seq + 1
    await store.delete(name)
    return pieces
