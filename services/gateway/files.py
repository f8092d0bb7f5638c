"""Files on their way to a plane: through the bus's object store, never through a message."""

from __future__ import annotations

import logging
from typing import IO, Any, Protocol

import nats.errors
import nats.js.errors

from libs.contracts.subjects import IMPORT_FILES, Bucket
from libs.runtime.bus import NatsBus
from services.gateway.errors import Unavailable

log = logging.getLogger(__name__)


class ImportFiles(Protocol):
    async def put(self, name: str, file: IO[bytes]) -> int:
        """Store a file under a name, in pieces. Returns its size in bytes.

        Raises Unavailable when the bus does not take it.
        """
        ...

    async def drop(self, name: str) -> None:
        """Forget a file that nobody will read. What is not dropped is gone after seven days."""
        ...


class BusFiles:
    """One of the object stores that `subjects.py` declares."""

    def __init__(self, bus: NatsBus, bucket: Bucket = IMPORT_FILES) -> None:
        self._bus = bus
        self._name = bucket.name

    async def _bucket(self) -> Any:
        return await self._bus.client.jetstream(timeout=10).object_store(self._name)

    async def put(self, name: str, file: IO[bytes]) -> int:
        try:
            info = await (await self._bucket()).put(name, file)
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            log.warning("an import file could not be stored: %s", type(error).__name__)
            raise Unavailable from error
        return int(info.size or 0)

    async def drop(self, name: str) -> None:
        try:
            await (await self._bucket()).delete(name)
        except (nats.errors.Error, nats.js.errors.Error, TimeoutError) as error:
            log.warning("an import file stays until it expires: %s", type(error).__name__)


class MemoryFiles:
    """Files in memory, for tests."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    async def put(self, name: str, file: IO[bytes]) -> int:
        self.kept[name] = file.read()
        return len(self.kept[name])

    async def drop(self, name: str) -> None:
        self.kept.pop(name, None)
