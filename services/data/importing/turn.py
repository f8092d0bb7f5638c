"""What every import keeps to, of a list or of an export: one a tenant at a time, told how far it is, and stopped when somebody asks."""

from __future__ import annotations

from uuid import UUID

from libs.contracts.data import ImportState
from libs.runtime.database import BatchWork, Database
from services.data.importing.store import Imports


class TenantBusy(Exception):
    """Another import of this tenant is being written; this one waits its turn."""


class Cancelled(Exception):
    """A person asked for it to stop; nothing of it was kept."""


class Rehearsed(Exception):
    """A dry run has seen everything; what it wrote is taken back."""


async def take_turn(work: BatchWork, tenant_id: UUID) -> None:
    """Until this transaction ends no other import of the tenant writes: two of the same file must not both find nothing to match.

    Raises TenantBusy.
    """
    if not await work.connection.fetchval(
        "select pg_try_advisory_xact_lock(hashtextextended($1::text, 1))", str(tenant_id)
    ):
        raise TenantBusy


async def report(database: Database, tenant_id: UUID, import_id: UUID, share: float) -> None:
    """Progress, and whether anybody wants it to stop: in a transaction of its own, so that others see it now. `share` of its rows, 0 to 1,
    are done.

    Raises Cancelled.
    """
    async with database.batch(tenant_id) as work:
        imports = Imports(work)
        if await imports.cancel_requested(tenant_id, import_id):
            raise Cancelled
        await imports.step(tenant_id, import_id, ImportState.MATCHING, 0.1 + 0.6 * share)
