"""Uploads come out of the object store as they were put there, with the rights that the planes have."""

from __future__ import annotations

import io
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path

import nats
import nats.js.errors
import pytest
import pytest_asyncio
from nats.js import JetStreamContext
from nats.js.object_store import OBJ_CHUNKS_PRE_TEMPLATE

from dev.embedded import Servers
from dev.secrets import Secrets
from libs.contracts.subjects import IMPORT_FILES
from services.data.importing.domain.messages import FileRefused
from services.data.importing.uploads import fetch, size_of
from tests.live.harness import prepared_servers

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]
MEGABYTES = 9
"""Beyond what the server sends before it wants to hear that it was taken."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Servers, Secrets]]:
    async with prepared_servers(tmp_path_factory.mktemp("uploads")) as made:
        yield made


@asynccontextmanager
async def as_plane(ground: tuple[Servers, Secrets], user: str) -> AsyncIterator[JetStreamContext]:
    servers, secrets = ground
    client = await nats.connect(
        servers.nats_url, nkeys_seed_str=secrets.nats_seeds[user], inbox_prefix=f"_INBOX_{user}".encode()
    )
    try:
        yield client.jetstream(timeout=10)
    finally:
        await client.close()


async def put(ground: tuple[Servers, Secrets], name: str, content: bytes) -> str:
    """Returns where its pieces are."""
    async with as_plane(ground, "gateway") as stream:
        bucket = await stream.object_store(IMPORT_FILES.name)
        info = await bucket.put(name, io.BytesIO(content))
        return OBJ_CHUNKS_PRE_TEMPLATE.format(bucket=IMPORT_FILES.name, obj=info.nuid)


@pytest.mark.parametrize("content", [os.urandom(MEGABYTES * 1024 * 1024), b"company\nNajd\n", b""], ids=["long", "short", "empty"])  # fmt: skip
async def test_what_was_put_is_what_comes(ground: tuple[Servers, Secrets], tmp_path: Path, content: bytes) -> None:
    await put(ground, "list", content)
    async with as_plane(ground, "data") as stream:
        assert await size_of(stream, IMPORT_FILES, "list") == len(content)
        await fetch(stream, IMPORT_FILES, "list", tmp_path / "file")
    assert sha256((tmp_path / "file").read_bytes()).digest() == sha256(content).digest()


async def test_an_upload_that_is_gone_is_refused(ground: tuple[Servers, Secrets], tmp_path: Path) -> None:
    async with as_plane(ground, "data") as stream:
        with pytest.raises(FileRefused) as refused:
            await fetch(stream, IMPORT_FILES, "never", tmp_path / "file")
        with pytest.raises(FileRefused):
            await size_of(stream, IMPORT_FILES, "never")
    assert refused.value.code == "gone" and not (tmp_path / "file").exists()


async def test_an_upload_whose_pieces_were_swapped_is_not_taken(
    ground: tuple[Servers, Secrets], tmp_path: Path
) -> None:
    where = await put(ground, "swapped", b"company\nNajd\n")
    async with as_plane(ground, "gateway") as stream:
        await stream.purge_stream(f"OBJ_{IMPORT_FILES.name}", subject=where)
        await stream.publish(where, b"company\nMine\n")
    async with as_plane(ground, "data") as stream:
        with pytest.raises(nats.js.errors.DigestMismatchError):
            await fetch(stream, IMPORT_FILES, "swapped", tmp_path / "file")
