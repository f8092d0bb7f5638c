"""`python -m services.data.importing.child TENANT IMPORT FILE`: carries a large import out in a process of its own."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import uvloop

from libs.contracts.message import Plane
from libs.runtime.database import Database
from libs.runtime.settings import PlaneSettings, load
from services.data.importing.carry import Cancelled, TenantBusy, carry_out
from services.data.importing.domain.messages import FileRefused
from services.data.importing.reading import Beside
from services.data.importing.store import Imports

log = logging.getLogger(__name__)

LOWER_PRIORITY = 5
"""Niceness: a large import leaves the processor to whoever answers people."""


class ChildFailed(Exception):
    """The child ended without saying how."""


async def carry_out_apart(settings: PlaneSettings, tenant_id: UUID, import_id: UUID, file: Path) -> None:
    """Run the child and wait for it; a cancelled wait ends the child too.

    Raises FileRefused, Cancelled and TenantBusy as the child did, ChildFailed for anything else.
    """
    credentials = {
        "DEALIX_DATA_NATS_SEED": settings.nats_seed,
        "DEALIX_DATA_DATABASE_URL": settings.database_url,
        "OPENBLAS_NUM_THREADS": "1",  # it forks, which is for processes of one thread
    }
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.data.importing.child", str(tenant_id), str(import_id), str(file),
        env={**os.environ, **credentials}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        said, _ = await child.communicate()
    finally:
        if child.returncode is None:
            child.kill()
            await child.wait()
    _answer(child.returncode, said)


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


async def _main(tenant_id: UUID, import_id: UUID, reading: Beside) -> dict[str, str]:
    database = Database(Plane.DATA, load(Plane.DATA).database_url, pool_size=2, sessions=False)
    await database.start()
    try:
        async with database.batch(tenant_id) as work:
            request = await Imports(work).request(tenant_id, import_id)
            status = await Imports(work).status(tenant_id, import_id)
        if request is None or status is None:
            raise ChildFailed("the import is gone")
        await carry_out(database, request, reading, now=datetime.now(UTC), trace_id=status.trace_id)
    except FileRefused as error:
        return {"end": "refused", "code": error.code, "en": error.en, "ar": error.ar}
    except Cancelled:
        return {"end": "cancelled"}
    except TenantBusy:
        return {"end": "busy"}
    finally:
        await database.stop()
    return {"end": "done"}


if __name__ == "__main__":
    gc.disable()  # it lives for one import, whose rows are trees without cycles: going through them again and again helps nobody
    os.nice(LOWER_PRIORITY)
    beside = Beside(Path(sys.argv[3]))
    try:
        ended = uvloop.run(_main(UUID(sys.argv[1]), UUID(sys.argv[2]), beside))
    finally:
        beside.close()
    sys.stdout.write(json.dumps(ended))
