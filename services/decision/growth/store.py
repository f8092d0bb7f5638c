"""Experiments as they are kept: plans, who was drawn into which arm, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from libs.contracts.experiments import ExperimentPlan, ExperimentState
from libs.contracts.learning import SentDraft, Touch
from libs.runtime.database import BatchWork
from services.decision.growth.domain.trial import Counts, Subject


@dataclass(frozen=True, slots=True)
class Kept:
    """One experiment's row. `outcome` is the counts by arm as the stop rule met them."""

    experiment_id: UUID
    plan: ExperimentPlan
    state: ExperimentState
    started_by: str
    started_at: datetime
    met_at: datetime | None
    outcome: dict[str, Counts] | None
    decision: str
    decided_by: str
    decided_at: datetime | None
    note: str


class Trials:
    """One transaction over one tenant."""

    def __init__(self, work: BatchWork) -> None:
        self._c = work.connection

    async def add(self, tenant: UUID, id: UUID, plan: ExperimentPlan, by: str, at: datetime) -> bool:
        """Keep a plan; False where this one, or another that runs, is there."""
        return await self._one(
            "insert into decision.experiments (tenant_id, experiment_id, plan, started_by, started_at) values ($1, $2, $3::jsonb, $4, $5) "
            "on conflict do nothing",
            tenant, id, plan.model_dump_json(), by, at,
        )  # fmt: skip

    async def get(self, tenant: UUID, id: UUID) -> Kept | None:
        row = await self._c.fetchrow(
            "select * from decision.experiments where tenant_id = $1 and experiment_id = $2", tenant, id
        )
        return None if row is None else _kept(row)

    async def page(self, tenant: UUID, before: UUID | None, limit: int) -> list[Kept]:
        """The newest first."""
        rows = await self._c.fetch(
            "select * from decision.experiments where tenant_id = $1 and ($2::uuid is null or experiment_id < $2) "
            "order by experiment_id desc limit $3",
            tenant, before, limit,
        )  # fmt: skip
        return [_kept(row) for row in rows]

    async def within(self, tenant: UUID, since: datetime, until: datetime, limit: int) -> list[Kept]:
        """Those that ran or were decided in a period, the newest first."""
        rows = await self._c.fetch(
            "select * from decision.experiments where tenant_id = $1 and started_at < $3 and (decided_at is null or decided_at >= $2) "
            "order by experiment_id desc limit $4",
            tenant, since, until, limit,
        )  # fmt: skip
        return [_kept(row) for row in rows]

    async def in_state(self, tenant: UUID, state: ExperimentState) -> list[Kept]:
        rows = await self._c.fetch(
            "select * from decision.experiments where tenant_id = $1 and state = $2 order by experiment_id", tenant, state.value
        )  # fmt: skip
        return [_kept(row) for row in rows]

    async def enrol(
        self, tenant: UUID, id: UUID, account: UUID, lead: UUID, contact: UUID, arm: str, at: datetime
    ) -> None:
        """Draw an account in; it takes part once, by the lead that came first."""
        await self._c.execute(
            "insert into decision.experiment_subjects (tenant_id, experiment_id, account_id, lead_id, contact_id, arm, assigned_at) "
            "select $1, $2, $3, $4, $5, $6, $7 where exists (select 1 from decision.experiments where tenant_id = $1 and experiment_id = $2 "
            "and state = 'running') on conflict do nothing",
            tenant, id, account, lead, contact, arm, at,
        )  # fmt: skip

    async def drafted(self, tenant: UUID, id: UUID, lead: UUID, action: UUID) -> None:
        """The message that an enrolled lead would get."""
        await self._c.execute(
            "update decision.experiment_subjects set action_id = $4 where tenant_id = $1 and experiment_id = $2 and lead_id = $3",
            tenant, id, lead, action,
        )  # fmt: skip

    async def subjects(self, tenant: UUID, id: UUID) -> list[Subject]:
        rows = await self._c.fetch(
            "select arm, reached_at, answered, counted from decision.experiment_subjects where tenant_id = $1 and experiment_id = $2",
            tenant, id,
        )  # fmt: skip
        return [Subject(row["arm"], row["reached_at"], row["answered"], row["counted"]) for row in rows]

    async def unsettled(self, tenant: UUID, id: UUID) -> list[SentDraft]:
        """Messages of subjects whose time to answer has not passed, as far as is known."""
        rows = await self._c.fetch(
            "select action_id, contact_id from decision.experiment_subjects where tenant_id = $1 and experiment_id = $2 "
            "and action_id is not null and not counted order by account_id",
            tenant, id,
        )  # fmt: skip
        return [SentDraft(action_id=row["action_id"], contact_id=row["contact_id"]) for row in rows]

    async def came(self, tenant: UUID, id: UUID, touches: Iterable[Touch], settled: datetime) -> None:
        """What became of those reached; one reached by `settled` counts from now on, as it is now."""
        found = [one for one in touches if one.action_id is not None]
        await self._c.execute(
            "update decision.experiment_subjects s set reached_at = f.at, answered = f.answered, counted = f.at <= $6 "
            "from unnest($3::uuid[], $4::timestamptz[], $5::bool[]) as f(action_id, at, answered) "
            "where s.tenant_id = $1 and s.experiment_id = $2 and s.action_id = f.action_id and not s.counted",
            tenant, id, [one.action_id for one in found], [one.at for one in found], [one.replied for one in found], settled,
        )  # fmt: skip

    async def met(self, tenant: UUID, id: UUID, at: datetime, outcome: dict[str, Counts]) -> bool:
        """The stop rule is met, with these counts; False where that is on record already."""
        return await self._one(
            "update decision.experiments set state = 'ready', met_at = $3, outcome = $4::jsonb where tenant_id = $1 and experiment_id = $2 "
            "and state = 'running'",
            tenant, id, at, orjson.dumps(outcome).decode(),
        )  # fmt: skip

    async def decided(
        self, tenant: UUID, id: UUID, was: ExperimentState, now: ExperimentState, decision: str, by: str, at: datetime, note: str
    ) -> bool:  # fmt: skip
        """Put down what was decided; False where it is not as it was any more."""
        return await self._one(
            "update decision.experiments set state = $4, decision = $5, decided_by = $6, decided_at = $7, note = $8 "
            "where tenant_id = $1 and experiment_id = $2 and state = $3",
            tenant, id, was.value, now.value, decision, by, at, note,
        )  # fmt: skip

    async def _one(self, sql: str, *given: Any) -> bool:
        return not str(await self._c.execute(sql, *given)).endswith(" 0")


def _kept(row: Any) -> Kept:
    outcome = (
        None if row["outcome"] is None else {arm: Counts(**one) for arm, one in orjson.loads(row["outcome"]).items()}
    )
    return Kept(
        row["experiment_id"], ExperimentPlan.model_validate_json(row["plan"]), ExperimentState(row["state"]), row["started_by"],
        row["started_at"], row["met_at"], outcome, row["decision"], row["decided_by"], row["decided_at"], row["note"],
    )  # fmt: skip
