"""Keeps every replica's snapshot as the tables say, and ends canaries that left their guardrails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from uuid import UUID

from libs.contracts.canaries import Canary, CanaryState
from libs.contracts.message import Plane, new_id
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime.plane import Runtime
from services.execution.canaries.choosing import Canaries
from services.execution.canaries.domain import Snapshot, left_guardrails
from services.execution.canaries.store import CanaryRows, Run

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
JUDGE_SECONDS = 5.0
PAGE = 200


class Watch:
    """Several replicas may run it: each step looks first and changes only what nobody has changed yet."""

    def __init__(self, runtime: Runtime, canaries: Canaries) -> None:
        self._runtime = runtime
        self._canaries = canaries
        self._seen: dict[UUID, int] = {}

    async def record(self, runs: Sequence[Run]) -> None:
        """Keep assignments, committed before anything is sent."""
        async with self._runtime.database.batch(*{run.tenant_id for run in runs}) as work:
            await CanaryRows(work.connection).record(runs)

    async def follow(self) -> None:
        """Take up changes for ever."""
        while True:
            await self.refresh()
            await asyncio.sleep(POLL_SECONDS)

    async def refresh(self) -> None:
        """Read the canaries of tenants whose revision is new, and switch once."""
        revisions = await self._revisions()
        changed = [tenant for tenant, revision in revisions.items() if self._seen.get(tenant) != revision]
        if not changed:
            return
        taking = dict(self._canaries.snapshot.of)
        for tenant in changed:
            async with self._runtime.database.batch(tenant) as work:
                found = await CanaryRows(work.connection).taking(tenant)
            taking.pop(tenant, None)
            if found:
                taking[tenant] = found
        self._canaries.snapshot = Snapshot(taking)
        self._seen |= {tenant: revisions[tenant] for tenant in changed}

    async def judge(self) -> None:
        """Judge for ever."""
        while True:
            await self.judge_once()
            await asyncio.sleep(JUDGE_SECONDS)

    async def judge_once(self) -> None:
        for tenant in await self._revisions():
            async with self._runtime.database.batch(tenant) as work:
                rows = CanaryRows(work.connection)
                for one in await rows.page(tenant, CanaryState.RUNNING, None, None, PAGE):
                    why = left_guardrails(one.guardrails, one.canary, one.baseline)
                    if why and await rows.roll_back(tenant, one.canary_id, why):
                        work.emit(
                            AUDITED[Plane.EXECUTION],
                            entry(self._runtime, one, "canary.rolled_back", "system:execution", why),
                        )
                        log.error(
                            "a canary left its guardrails and was rolled back",
                            extra={"ids": {"canary": str(one.canary_id), "why": why}},
                        )
        await self.refresh()

    async def _revisions(self) -> dict[UUID, int]:
        async with self._runtime.database.batch() as work:
            rows = await work.connection.fetch("select tenant_id, revision from execution.canary_switches")
        return {row["tenant_id"]: row["revision"] for row in rows}


def entry(runtime: Runtime, one: Canary, kind: str, actor: str, why: str = "") -> AuditRecorded:
    """What the ledger holds of a canary's change: which version, which share, the counts that were seen."""
    data = {
        "kind": one.kind.value, "target": one.target, "version": one.version, "percent": one.percent, "why": why,
        "canary": one.canary.model_dump(), "baseline": one.baseline.model_dump(),
    }  # fmt: skip
    return AuditRecorded(
        entry_id=new_id(), tenant_id=one.tenant_id, kind=kind, actor=actor, target=f"canary:{one.canary_id}", at=runtime.now(), data=data,
    )  # fmt: skip
