"""Uploaded files, out of the object store."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import nats.js.errors
from nats.js import JetStreamContext
from nats.js.object_store import OBJ_CHUNKS_PRE_TEMPLATE, OBJ_DIGEST_TEMPLATE

from libs.contracts.subjects import Bucket
from services.data.importing.domain.messages import FileRefused

SILENT_SECONDS = 10.0
"""As long may the server take for the next piece of a file."""


async def size_of(stream: JetStreamContext, bucket: Bucket, name: str) -> int:
    """The size of an upload, in bytes. Raises FileRefused for one that is gone."""
    async with _there():
        return (await (await stream.object_store(bucket.name)).get_info(name)).size or 0


async def fetch(stream: JetStreamContext, bucket: Bucket, name: str, file: Path) -> None:
    """Put an upload into `file`, as `ObjectStore.get` does: that answers the server's flow control every quarter of a second, and 16 MB
    take it fifteen times as long (https://github.com/nats-io/nats.py/issues/703).

    Raises FileRefused for one that is gone, DigestMismatchError for one that is not what was put there, nats.errors.TimeoutError.
    """
    async with _there():
        info = await (await stream.object_store(bucket.name)).get_info(name)
    chunks = OBJ_CHUNKS_PRE_TEMPLATE.format(bucket=bucket.name, obj=info.nuid)
    left, digest = info.size or 0, sha256()
    with await asyncio.to_thread(file.open, "wb") as to:
        if not left:
            return
        coming = await stream.subscribe(chunks, ordered_consumer=True)
        try:
            while left > 0:
                data = (await coming.next_msg(SILENT_SECONDS)).data
                left -= len(data)
                digest.update(data)
                await asyncio.to_thread(to.write, data)
        finally:
            await coming.unsubscribe()
    if info.digest != OBJ_DIGEST_TEMPLATE.format(digest=base64.urlsafe_b64encode(digest.digest()).decode()):
        raise nats.js.errors.DigestMismatchError


@asynccontextmanager
async def _there() -> AsyncIterator[None]:
    try:
        yield
    except (nats.js.errors.ObjectNotFoundError, nats.js.errors.ObjectDeletedError) as error:
        raise FileRefused("gone") from error
