"""A large import in a process of its own: what the plane does about it, and what that process (`child.py`) does."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

from libs.contracts.message import Plane
from libs.runtime.asking import asking
from libs.runtime.database import Database
from libs.runtime.settings import PlaneSettings, load
from services.data.importing.carry import carry_out
from services.data.importing.domain.messages import FileRefused
from services.data.importing.reading import Order, Reading
from services.data.importing.store import Imports
from services.data.importing.turn import Cancelled, TenantBusy

log = logging.getLogger(__name__)


class ChildFailed(Exception):
    """The child ended without saying how."""


@asynccontextmanager
async def apart(settings: PlaneSettings, tenant_id: UUID, import_id: UUID, file: Path) -> AsyncIterator[Apart]:
    """A child that loads its code while `file` is still on its way. It does not outlive the block."""
    credentials = {
        "DEALIX_DATA_NATS_SEED": settings.nats_seed,
        "DEALIX_DATA_DATABASE_URL": settings.database_url,
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.data.importing.child", str(tenant_id), str(import_id), str(file),
        env={**os.environ, **credentials}, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        yield Apart(child)
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()


class Apart:
    """A child that waits for its order."""

    def __init__(self, child: Process) -> None:
        self._child = child

    async def carry_out(self, order: Order) -> None:
        """The file is there: carry it out.

        Raises FileRefused, Cancelled and TenantBusy as the child did, ChildFailed for anything else.
        """
        said, _ = await self._child.communicate(order.to_json().encode())
        _answer(self._child.returncode, said)


def _answer(code: int | None, said: bytes) -> None:
    if code != 0 or not said:
        raise ChildFailed(f"exit code {code}")
    told = json.loads(said)
    if told["end"] == "refused":
        raise FileRefused.told(told["code"], told["en"], told["ar"])
    if told["end"] == "cancelled":
        raise Cancelled
    if told["end"] == "busy":
        raise TenantBusy


async def carry_out_here(tenant_id: UUID, import_id: UUID, reading: Reading) -> dict[str, str]:
    """What the process does. Returns how it ended, as `carry_out_apart` reads it."""
    settings = load(Plane.DATA)
    database = Database(Plane.DATA, settings.database_url, pool_size=2, sessions=False)
    await database.start()
    try:
        async with database.batch(tenant_id) as work:
            request = await Imports(work).request(tenant_id, import_id)
            status = await Imports(work).status(tenant_id, import_id)
        if request is None or status is None:
            raise ChildFailed("the import is gone")
        async with asking(settings, Plane.DATA) as asks:
            await carry_out(database, asks, request, reading, now=datetime.now(UTC), trace_id=status.trace_id)
    except FileRefused as error:
        return {"end": "refused", "code": error.code, "en": error.en, "ar": error.ar}
    except Cancelled:
        return {"end": "cancelled"}
    except TenantBusy:
        return {"end": "busy"}
    finally:
        await database.stop()
    return {"end": "done"}
