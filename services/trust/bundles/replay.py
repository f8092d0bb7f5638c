"""Decides history again under another bundle, from the questions that were stored with every decision.

A replay runs in batches, keeps its progress and its changes in tables, and begins anew on another replica when its own dies.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from hashlib import sha256
from typing import Any
from uuid import UUID

from libs.contracts.canonical import canonical
from libs.contracts.catalogue.actions import effects
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import new_id
from libs.contracts.policy import (
    Replay,
    ReplayChange,
    ReplayChangesReply,
    ReplayChangesRequest,
    ReplayGet,
    ReplayRequest,
    ReplaysReply,
    ReplaysRequest,
)
from libs.runtime.database import Database
from services.trust.bundles.errors import BadPeriod
from services.trust.bundles.force import Bundles
from services.trust.bundles.questions import read_question
from services.trust.bundles.store import BundleRows
from services.trust.bundles.watch import change, record
from services.trust.domain import decide
from services.trust.domain.facts import RIYADH
from services.trust.domain.policy import Answer, Bundle
from services.trust.paging import before

log = logging.getLogger(__name__)

BATCH = 20_000
LEASE_SECONDS = 60
POLL_SECONDS = 0.5
READERS = frozenset({"owner", "admin", "auditor", "compliance_officer", "approver"})
ASKERS = frozenset({"owner", "admin", "compliance_officer"})

_NEXT = """
select action_id, attempt, digest, question, outcome, effect, subject_id, decided_at from trust.decisions
where tenant_id = $1 and decided_at >= $2 and decided_at < $3 and (action_id, attempt, digest) > ($4, $5, $6)
order by action_id, attempt, digest limit $7
"""


class Replays:
    def __init__(self, database: Database, bundles: Bundles) -> None:
        self._database = database
        self._bundles = bundles

    # -- asked for -------------------------------------------------------------------------------------------------------

    async def start(self, request: ReplayRequest) -> Replay:
        """Queue a replay against the bundle in force now. Raises NotFound for an unknown bundle, BadPeriod."""
        _require(request, ASKERS)
        if request.since.tzinfo is None or request.until.tzinfo is None or request.since >= request.until:
            raise BadPeriod
        tenant, replay_id = request.principal.tenant_id, new_id()
        async with self._database.batch(tenant) as work:
            own = BundleRows(work.connection, tenant)
            if not await own.texts([request.bundle]):
                raise NotFound
            active = await own.in_state("active")
            base = active["version"] if active else self._bundles.platform.version
            await work.connection.execute(
                "insert into trust.policy_replays (tenant_id, replay_id, version, base, since, until, state, requested_by) "
                "values ($1, $2, $3, $4, $5, $6, 'queued', $7)",
                tenant, replay_id, request.bundle, base, request.since, request.until, request.principal.id,
            )  # fmt: skip
            await work.connection.execute(
                "insert into trust.policy_replay_queue values ($1, $2, null)", replay_id, tenant
            )
            target = f"policy:{request.bundle}"
            fact = {"replay_id": str(replay_id)}
            await record(work.connection, [(tenant, "policy.replay_requested", request.principal.id, target, fact)])
        return await self.get(ReplayGet(principal=request.principal, replay_id=replay_id))

    async def get(self, request: ReplayGet) -> Replay:
        _require(request, READERS)
        async with self._database.batch(request.principal.tenant_id) as work:
            row = await work.connection.fetchrow(
                "select * from trust.policy_replays where tenant_id = $1 and replay_id = $2",
                request.principal.tenant_id,
                request.replay_id,
            )
        if row is None:
            raise NotFound
        return _shown(row)

    async def page(self, request: ReplaysRequest) -> ReplaysReply:
        """Replays, the newest first."""
        _require(request, READERS)
        async with self._database.batch(request.principal.tenant_id) as work:
            rows = await work.connection.fetch(
                "select * from trust.policy_replays where tenant_id = $1 and ($2::text is null or version = $2) "
                "and ($3::uuid is null or replay_id < $3) order by replay_id desc limit $4",
                request.principal.tenant_id,
                request.bundle,
                before(request.page),
                request.page.limit + 1,
            )
        found = [_shown(row) for row in rows[: request.page.limit]]
        more = len(rows) > request.page.limit
        return ReplaysReply(items=tuple(found), next_cursor=str(found[-1].replay_id) if more else None)

    async def changes(self, request: ReplayChangesRequest) -> ReplayChangesReply:
        """Decisions that would be others, one by one, in the order in which the replay met them."""
        _require(request, READERS)
        cursor = request.page.cursor or "-1"
        if not cursor.lstrip("-").isdigit():
            raise NotFound
        async with self._database.batch(request.principal.tenant_id) as work:
            rows = await work.connection.fetch(
                "select seq, kind, action_id, attempt, effect, subject, decided_at, before, after, policies from trust.policy_changes "
                "where tenant_id = $1 and replay_id = $2 and ($3::text is null or kind = $3) and seq > $4 order by seq limit $5",
                request.principal.tenant_id,
                request.replay_id,
                request.kind,
                int(cursor),
                request.page.limit + 1,
            )
        more = len(rows) > request.page.limit
        found = tuple(ReplayChange(**{**row, "policies": tuple(row["policies"])}) for row in rows[: request.page.limit])
        return ReplayChangesReply(items=found, next_cursor=str(found[-1].seq) if more else None)

    # -- carried out -----------------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Carry out queued replays for ever, one at a time."""
        while True:
            if not await self.run_one():
                await asyncio.sleep(POLL_SECONDS)

    async def run_one(self) -> bool:
        """Take a replay that nobody works on and carry it out. Returns whether there was one."""
        async with self._database.batch() as work:
            row = await work.connection.fetchrow(
                "update trust.policy_replay_queue set lease_until = now() + make_interval(secs => $1) where replay_id = ("
                "select replay_id from trust.policy_replay_queue where lease_until is null or lease_until < now() "
                "order by replay_id limit 1 for update skip locked) returning replay_id, tenant_id",
                LEASE_SECONDS,
            )
        if row is None:
            return False
        tenant, replay_id = row["tenant_id"], row["replay_id"]
        try:
            await self._carry_out(tenant, replay_id)
        except Exception:  # a report must not wait for ever: it ends as failed, and whoever asked sees it
            log.exception("a replay failed", extra={"ids": {"replay": str(replay_id)}})
            await self._end(tenant, replay_id, "failed", None)
        return True

    async def _carry_out(self, tenant: UUID, replay_id: UUID) -> None:
        async with self._database.batch(tenant) as work:
            await work.connection.execute(
                "delete from trust.policy_changes where tenant_id = $1 and replay_id = $2", tenant, replay_id
            )
            row = await work.connection.fetchrow(
                "update trust.policy_replays r set state = 'running', done = 0, total = (select count(*) from trust.decisions d "
                "where d.tenant_id = r.tenant_id and d.decided_at >= r.since and d.decided_at < r.until) "
                "where tenant_id = $1 and replay_id = $2 returning version, base, since, until",
                tenant,
                replay_id,
            )
            (text,) = await BundleRows(work.connection, tenant).texts([row["version"]])
        tally = Tally(Bundle(text))
        place: tuple[UUID, int, str] = (UUID(int=0), 0, "")
        while True:
            async with self._database.batch(tenant) as work:
                rows = await work.connection.fetch(_NEXT, tenant, row["since"], row["until"], *place, BATCH)
                if not rows:
                    break
                new = list({r["question"] for r in rows} - tally.answers.keys())
                found = await work.connection.fetch(
                    "select digest, document from trust.questions where digest = any($1::bytea[])", new
                )
                tally.learn({each["digest"]: each["document"] for each in found})
                await _keep(work.connection, tenant, replay_id, tally.count(rows))
                await work.connection.execute(
                    "update trust.policy_replays set done = $3 where tenant_id = $1 and replay_id = $2",
                    tenant, replay_id, tally.decisions,
                )  # fmt: skip
                await work.connection.execute(
                    "update trust.policy_replay_queue set lease_until = now() + make_interval(secs => $2) where replay_id = $1",
                    replay_id, LEASE_SECONDS,
                )  # fmt: skip
            last = rows[-1]
            place = (last["action_id"], last["attempt"], last["digest"])
        report = await self._report(tenant, replay_id, row, tally)
        await self._end(tenant, replay_id, "done", report)

    async def _report(self, tenant: UUID, replay_id: UUID, row: Any, tally: Tally) -> dict[str, Any]:
        async with self._database.batch(tenant) as work:
            votes = await work.connection.fetch(
                "select actor, count(*) n from trust.approval_steps where tenant_id = $1 and at >= $2 and at < $3 "
                "and step in ('approved', 'rejected') and actor like 'user:%' group by actor",
                tenant, row["since"], row["until"],
            )  # fmt: skip
            value = await work.connection.fetchrow(
                "select coalesce(sum(value), 0) total, count(*) filter (where value is null) unknown from ("
                "select c.action_id, max(case when a.document->>'value_sar' ~ '^[0-9]{1,12}([.][0-9]{1,4})?$' "
                "then (a.document->>'value_sar')::numeric end) as value from (select distinct action_id from trust.policy_changes "
                "where tenant_id = $1 and replay_id = $2 and kind in ('newly_blocked', 'newly_parked')) c "
                "left join trust.approvals a on a.tenant_id = $1 and a.action_id = c.action_id group by c.action_id) x",
                tenant, replay_id,
            )  # fmt: skip
        return tally.report(row, {v["actor"]: v["n"] for v in votes}, value["total"], value["unknown"])

    async def _end(self, tenant: UUID, replay_id: UUID, state: str, report: dict[str, Any] | None) -> None:
        digest = sha256(canonical(report)).hexdigest() if report is not None else None
        async with self._database.batch(tenant) as work:
            version = await work.connection.fetchval(
                "update trust.policy_replays set state = $3, report = $4::jsonb, sha256 = $5 where tenant_id = $1 and replay_id = $2 "
                "returning version",
                tenant, replay_id, state, json.dumps(report) if report is not None else None, digest,
            )  # fmt: skip
            await work.connection.execute("delete from trust.policy_replay_queue where replay_id = $1", replay_id)
            fact = {"replay_id": str(replay_id), "state": state, "sha256": digest}
            await record(work.connection, [(tenant, "policy.replayed", "system:trust", f"policy:{version}", fact)])


@dataclass
class Tally:
    """What a replay has counted so far."""

    bundle: Bundle
    answers: dict[bytes, Answer] = field(default_factory=dict)
    decisions: int = 0
    unreadable: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    by_policy: Counter[str] = field(default_factory=Counter)
    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    seq: int = 0

    def learn(self, documents: Mapping[bytes, str]) -> None:
        """Ask the bundle what has not been asked yet."""
        keys = list(documents)
        answers = self.bundle.ask([read_question(documents[key]) for key in keys])
        self.answers |= zip(keys, answers, strict=True)

    def count(self, rows: Any) -> list[tuple[Any, ...]]:
        """Take decisions in; returns those that would be others, as rows of `policy_changes` without tenant and replay."""
        out = []
        for row in rows:
            self.decisions += 1
            answer = self.answers.get(row["question"])
            if answer is None:
                self.unreadable += 1
                continue
            after = decide.outcome(answer).value
            if "parked" in (row["outcome"], after):
                effect = effects().get(row["effect"])
                votes = max(1, effect.approvers) if effect else 1
                day = row["decided_at"].astimezone(RIYADH).date().isoformat()
                self.before[day] += votes if row["outcome"] == "parked" else 0
                self.after[day] += votes if after == "parked" else 0
            kind = change(row["outcome"], after)
            if not kind:
                continue
            codes = [reason.code for reason in answer.reasons]
            self.kinds[kind] += 1
            self.by_policy.update((codes or ["none"])[:1])
            out.append(
                (self.seq, kind, row["action_id"], row["attempt"], row["effect"], row["subject_id"], row["decided_at"],
                 row["outcome"], after, codes)
            )  # fmt: skip
            self.seq += 1
        return out

    def report(self, row: Any, votes: Mapping[str, int], value: Decimal, unknown: int) -> dict[str, Any]:
        """The report. Approvals are votes; a person's share before and after follows who answered in the period."""
        total = sum(votes.values())
        days = sorted(self.before.keys() | self.after.keys())
        return {
            "bundle": row["version"],
            "base": row["base"],
            "since": _instant(row["since"]),
            "until": _instant(row["until"]),
            "decisions": self.decisions,
            "distinct_questions": len(self.answers),
            "unreadable": self.unreadable,
            "newly_allowed": self.kinds["newly_allowed"],
            "newly_blocked": self.kinds["newly_blocked"],
            "newly_parked": self.kinds["newly_parked"],
            "by_policy": dict(sorted(self.by_policy.items())),
            "approvals_per_day": [{"day": d, "before": self.before[d], "after": self.after[d]} for d in days],
            "approvals_per_approver": [
                {
                    "approver": who,
                    "before_per_day": _rate(sum(self.before.values()), n, total, len(days)),
                    "after_per_day": _rate(sum(self.after.values()), n, total, len(days)),
                }
                for who, n in sorted(votes.items())
            ],
            "value_delayed_sar": f"{value:.2f}",
            "actions_of_unknown_value": unknown,
        }


def _rate(votes: int, own: int, all_votes: int, days: int) -> str:
    return f"{Decimal(votes) * own / max(all_votes, 1) / max(days, 1):.2f}"


def _instant(at: datetime) -> str:
    return at.astimezone(RIYADH).isoformat()


async def _keep(connection: Any, tenant: UUID, replay_id: UUID, changes: list[tuple[Any, ...]]) -> None:
    if changes:
        columns = list(zip(*changes, strict=True))
        await connection.execute(
            "insert into trust.policy_changes select $1, $2, s, k, a, n, e, u, d, b, f, string_to_array(p, ',') "
            "from unnest($3::bigint[], $4::text[], $5::uuid[], $6::int[], $7::text[], $8::text[], $9::timestamptz[], $10::text[], "
            "$11::text[], $12::text[]) as x(s, k, a, n, e, u, d, b, f, p)",
            tenant, replay_id, *[list(column) for column in columns[:-1]], [",".join(codes) for codes in columns[-1]],
        )  # fmt: skip


def _shown(row: Any) -> Replay:
    return Replay(
        replay_id=row["replay_id"], bundle=row["version"], base=row["base"], since=row["since"], until=row["until"],
        state=row["state"], done=row["done"], total=row["total"], requested_by=row["requested_by"],
        requested_at=row["requested_at"], report=json.loads(row["report"]) if row["report"] else {}, sha256=row["sha256"] or "",
    )  # fmt: skip


def _require(request: Any, roles: frozenset[str]) -> None:
    if not roles & set(request.principal.roles):
        raise Forbidden
