"""Rows of canaries and of their runs, in the caller's transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from libs.contracts.canaries import Canary, CanaryKind, CanaryRun, CanaryState, Counts, Group, Guardrails, StartCanary
from services.execution.canaries.domain import DENIED, ENDED, ERRORS, Taking

_COUNTS = """
select r.grp, count(*) runs, count(*) filter (where o = any($4::text[])) errors, count(*) filter (where o = $5) denied
from execution.canary_runs r
left join execution.actions a on a.tenant_id = r.tenant_id and a.action_id = r.run_id and a.attempt = r.attempt,
lateral (select coalesce(r.outcome, a.state) as o) s
where r.tenant_id = $1 and r.canary_id = $2 and r.at >= now() - make_interval(mins => $3) and o = any($6::text[])
group by r.grp
"""


@dataclass(frozen=True, slots=True)
class Run:
    """One assignment, to be recorded."""

    tenant_id: UUID
    canary_id: UUID
    run_id: UUID
    attempt: int
    group: str
    version: str


class CanaryRows:
    """`connection` is that of a unit of work that names the tenants."""

    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def start(self, asked: StartCanary) -> bool:
        """Whether it was started; not when the tenant has one of this target that takes runs."""
        tenant, who = asked.principal.tenant_id, asked.principal.id
        started = await self._c.fetchval(
            "insert into execution.canaries (tenant_id, canary_id, kind, target, version, percent, state, guardrails, reason, started_by, "
            "changed_by) values ($1, $2, $3, $4, $5, $6, 'running', $7::jsonb, $8, $9, $9) on conflict do nothing returning true",
            tenant, asked.canary_id, asked.kind.value, asked.target, asked.version, asked.percent, asked.guardrails.model_dump_json(),
            asked.reason, who,
        )  # fmt: skip
        if started:
            await self.announce(tenant)
        return bool(started)

    async def change(self, tenant: UUID, canary_id: UUID, state: str, percent: int | None, by: str, why: str) -> bool:
        """Whether it changed: only one that takes runs does."""
        changed = await self._c.fetchval(
            "update execution.canaries set state = $3, percent = coalesce($4, percent), changed_by = $5, changed_at = now(), why = $6 "
            "where tenant_id = $1 and canary_id = $2 and state in ('running', 'promoted') returning true",
            tenant, canary_id, state, percent, by, why,
        )  # fmt: skip
        if changed:
            await self.announce(tenant)
        return bool(changed)

    async def roll_back(self, tenant: UUID, canary_id: UUID, why: str) -> bool:
        """Whether this caller ended it: of several replicas one does."""
        ended = await self._c.fetchval(
            "update execution.canaries set state = 'rolled_back', changed_by = 'system:execution', changed_at = now(), why = $3 "
            "where tenant_id = $1 and canary_id = $2 and state = 'running' returning true",
            tenant, canary_id, why,
        )  # fmt: skip
        if ended:
            await self.announce(tenant)
        return bool(ended)

    async def announce(self, tenant: UUID) -> None:
        """Let every replica take up what changed. Ids and numbers only: all tenants' rows stand in one table."""
        await self._c.execute(
            "insert into execution.canary_switches (tenant_id, revision) values ($1, nextval('execution.canary_revision')) "
            "on conflict (tenant_id) do update set revision = excluded.revision",
            tenant,
        )

    async def taking(self, tenant: UUID) -> tuple[Taking, ...]:
        rows = await self._c.fetch(
            "select canary_id, kind, target, version, percent, state from execution.canaries "
            "where tenant_id = $1 and state in ('running', 'promoted')",
            tenant,
        )
        return tuple(
            Taking(r["canary_id"], CanaryKind(r["kind"]), r["target"], r["version"], r["percent"], r["state"] == "promoted")
            for r in rows
        )  # fmt: skip

    async def record(self, runs: Sequence[Run]) -> None:
        """Keep assignments; one that is on record stays as it is."""
        await self._c.execute(
            "insert into execution.canary_runs (tenant_id, canary_id, run_id, attempt, grp, version) "
            "select * from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[]) on conflict do nothing",
            [r.tenant_id for r in runs], [r.canary_id for r in runs], [r.run_id for r in runs], [r.attempt for r in runs],
            [r.group for r in runs], [r.version for r in runs],
        )  # fmt: skip

    async def report(self, tenant: UUID, run_id: UUID, outcome: str) -> None:
        """How a run of an agent or a model ended; the first report stands."""
        await self._c.execute(
            "update execution.canary_runs set outcome = $3 where tenant_id = $1 and run_id = $2 and outcome is null",
            tenant, run_id, outcome,
        )  # fmt: skip

    async def counts(self, tenant: UUID, canary_id: UUID, rails: Guardrails) -> tuple[Counts, Counts]:
        """Ended runs inside the window: of the canary, of the baseline."""
        rows = await self._c.fetch(_COUNTS, tenant, canary_id, rails.window_minutes, list(ERRORS), DENIED, list(ENDED))
        found = {r["grp"]: Counts(runs=r["runs"], errors=r["errors"], denied=r["denied"]) for r in rows}
        return found.get("canary", Counts()), found.get("baseline", Counts())

    async def get(self, tenant: UUID, canary_id: UUID) -> Canary | None:
        rows = await self._c.fetch(
            "select * from execution.canaries where tenant_id = $1 and canary_id = $2", tenant, canary_id
        )
        return await self._canary(rows[0]) if rows else None

    async def page(
        self, tenant: UUID, state: CanaryState | None, kind: CanaryKind | None, before: UUID | None, limit: int
    ) -> list[Canary]:
        rows = await self._c.fetch(
            "select * from execution.canaries where tenant_id = $1 and ($2::text is null or state = $2) and ($3::text is null or kind = $3) "
            "and ($4::uuid is null or canary_id < $4) order by canary_id desc limit $5",
            tenant, state.value if state else None, kind.value if kind else None, before, limit,
        )  # fmt: skip
        return [await self._canary(row) for row in rows]

    async def runs(self, tenant: UUID, canary_id: UUID, before: UUID | None, limit: int) -> list[CanaryRun]:
        rows = await self._c.fetch(
            "select r.run_id, r.attempt, r.grp, r.version, r.at, coalesce(r.outcome, a.state, '') outcome from execution.canary_runs r "
            "left join execution.actions a on a.tenant_id = r.tenant_id and a.action_id = r.run_id and a.attempt = r.attempt "
            "where r.tenant_id = $1 and r.canary_id = $2 and ($3::uuid is null or r.run_id < $3) order by r.run_id desc, r.attempt limit $4",
            tenant, canary_id, before, limit,
        )  # fmt: skip
        return [
            CanaryRun(
                run_id=r["run_id"], attempt=r["attempt"], group=Group(r["grp"]), version=r["version"], at=r["at"],
                outcome=r["outcome"] if r["outcome"] in ENDED else "",
            )
            for r in rows
        ]  # fmt: skip

    async def _canary(self, row: Any) -> Canary:
        rails = Guardrails.model_validate(json.loads(row["guardrails"]))
        canary, baseline = await self.counts(row["tenant_id"], row["canary_id"], rails)
        return Canary(
            canary_id=row["canary_id"], tenant_id=row["tenant_id"], kind=CanaryKind(row["kind"]), target=row["target"], version=row["version"],
            percent=row["percent"], state=CanaryState(row["state"]), guardrails=rails, canary=canary, baseline=baseline, reason=row["reason"],
            started_by=row["started_by"], started_at=row["started_at"], changed_by=row["changed_by"], changed_at=row["changed_at"],
            why=row["why"],
        )  # fmt: skip
