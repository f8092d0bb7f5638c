"""Answers what operating asks about a launch: how controls stand, and what the checks of `checks.yaml` find. Unknown stays unknown."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from uuid import UUID

import asyncpg
import yaml

from libs.contracts.catalogue.controls import controls
from libs.contracts.launch import LaunchFact, LaunchFacts, LaunchFactsRequest
from libs.contracts.message import PLATFORM
from libs.runtime.database import Database
from services.trust.compliance.checks import Check, counting
from services.trust.compliance.domain.judge import Counted, judged, state
from services.trust.compliance.errors import UnknownControl
from services.trust.compliance.store import RIYADH_DAYS, ControlRows
from services.trust.compliance.sweep import parameters
from services.trust.model_calls.store import SqlTransfers

log = logging.getLogger(__name__)
FILE = Path(__file__).with_name("checks.yaml")


@cache
def checks() -> dict[str, Check]:
    """All checks by name.

    Raises pydantic.ValidationError when one is incomplete.
    """
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {key: Check.model_validate(body) for key, body in document.items()}


class Launch:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def facts(self, request: LaunchFactsRequest) -> LaunchFacts:
        """Raises UnknownControl for a control or a check that there is not."""
        if not set(request.controls) <= set(controls()) or not set(request.records) <= set(checks()):
            raise UnknownControl
        tenant = request.tenant_id
        return LaunchFacts(
            controls=await self._controls(tenant, request.controls) if request.controls else (),
            records=await self._records(tenant, request.records) if request.records else (),
            safeguarded=await self._safeguarded(tenant, request.connectors) if request.connectors else (),
        )

    async def _safeguarded(self, tenant: UUID, connectors: tuple[str, ...]) -> tuple[str, ...]:
        async with self._database.batch(tenant) as work:
            held = await SqlTransfers(work.connection).safeguarded({(tenant, key) for key in connectors})
        return tuple(sorted(key for _, key in held))

    async def _controls(self, tenant: UUID, wanted: tuple[str, ...]) -> tuple[LaunchFact, ...]:
        """How each stands in the matrix: by its newest reading while that is fresh, or by evidence in its term."""
        async with self._database.batch(tenant) as work:
            rows = ControlRows(work.connection, tenant)
            readings, evidence = await rows.newest(), await rows.attestations()
            failures, now = await rows.failures(), await rows.now()
        found = []
        for key in wanted:
            one = state(
                controls()[key], readings.get(key), evidence.get(key, ()), failures.get(key), live=False, now=now
            )
            seen = one.reading
            counted = {"rows": seen.rows, "failing": seen.failing} if seen else {}
            found.append(LaunchFact(key=key, result=one.result, why=one.why, **counted))
        return tuple(found)

    async def _records(self, tenant: UUID, keys: tuple[str, ...]) -> tuple[LaunchFact, ...]:
        """Checks, all in one query; when that can't be read, one by one, so that one that can't be read spoils no other."""
        try:
            return await self._counted(tenant, keys)
        except asyncpg.PostgresError as error:
            ids = {"checks": ",".join(keys), "error": type(error).__name__}
            log.exception("launch checks can't be read", extra={"ids": ids})
        if len(keys) == 1:
            return (_fact(keys[0], None),)
        return tuple([one for key in keys for one in await self._records(tenant, (key,))])

    async def _counted(self, tenant: UUID, keys: tuple[str, ...]) -> tuple[LaunchFact, ...]:
        async with self._database.batch(tenant, PLATFORM) as work:
            statement = counting(*(checks()[key] for key in keys))
            await work.connection.execute(RIYADH_DAYS)
            rows = await work.connection.fetch(statement, tenant, *parameters(), False)
        found = {row["n"]: Counted(row["rows"], row["failing"], row["unclear"]) for row in rows}
        return tuple(_fact(key, found[n]) for n, key in enumerate(keys))


def _fact(key: str, counted: Counted | None) -> LaunchFact:
    result, why = judged(checks()[key], counted)
    seen = counted or Counted(0, 0)
    return LaunchFact(key=key, result=result, why=why, rows=seen.rows, failing=seen.failing)
