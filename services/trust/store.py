"""Trust's storage: what a batch of evaluations needs to know, and what deciding it writes. PostgreSQL's clock is the clock.

The in-memory twin is in `memory.py`; one suite runs over both.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.data import ContactFacts
from libs.contracts.execution import Settled
from libs.contracts.message import Message
from libs.contracts.settling import OutcomeSettled
from libs.contracts.subjects import Event
from libs.contracts.trust import Approval, ConsentRecord
from libs.runtime.database import BatchWork, Database, Plans, SessionWork
from services.trust.approvals.store import SqlDesk
from services.trust.consent.store import SqlConsents
from services.trust.contradictions.store import SqlContradictions
from services.trust.domain.decide import OnRecord, Prepared
from services.trust.domain.facts import MAX_AGE_HOURS, ContactState
from services.trust.governance.store import SqlStandings
from services.trust.ledger.domain.entry import Entry, seal
from services.trust.ledger.store import SqlLedgerStore
from services.trust.model_calls.store import SqlTransfers
from services.trust.own_people.store import SqlOwnPeople
from services.trust.ports import Store, Unit
from services.trust.receipts.settling import settle_outcome
from services.trust.rows import (
    NOTHING_KNOWN,
    Known,
    Ruling,
    approval_of,
    approved_of,
    document_of,
    is_plain,
    known_of,
    prior_of,
    ruling_row,
    state_of,
)
from services.trust.screening.store import SqlFindings
from services.trust.sessions.store import SqlSessions
from services.trust.statements import KEEP, KNOWN, KNOWN_PLAIN
from services.trust.suggestions.store import SqlSuggestions

__all__ = ["SqlStore", "SqlUnit", "Store", "Unit"]


class SqlUnit:
    """One PostgreSQL transaction."""

    def __init__(self, work: BatchWork) -> None:
        self._work = work
        self._c = work.connection
        self._now: datetime | None = None
        self.desk, self.consent = SqlDesk(self._c), SqlConsents(self._c)
        self.sessions, self.contradictions = SqlSessions(self._c), SqlContradictions(self._c)
        self.findings, self.standings = SqlFindings(self._c), SqlStandings(self._c)
        self.suggestions = SqlSuggestions(self._c)
        self.own_people = SqlOwnPeople(self._c)
        self.transfers = SqlTransfers(self._c)

    @property
    def connection(self) -> Any:
        return self._c

    def emit(self, event: Event[Any], message: Message) -> UUID:
        return self._work.emit(event, message)

    async def now(self) -> datetime:
        """When the transaction began, by PostgreSQL's clock; `known` brings it along."""
        if self._now is None:
            self._now = await self._c.fetchval("select now()")
        return self._now

    async def known(self, prepared: Sequence[Prepared], macs: Sequence[str]) -> list[Known]:
        out = [NOTHING_KNOWN] * len(prepared)
        plain = [n for n, p in enumerate(prepared) if is_plain(p)]
        others = [n for n, p in enumerate(prepared) if not is_plain(p)]
        if plain:
            rows = await self._c.fetch(
                KNOWN_PLAIN,
                [prepared[n].evaluation.tenant_id for n in plain],
                [prepared[n].evaluation.action_id for n in plain],
                [prepared[n].evaluation.attempt for n in plain],
                [prepared[n].digest for n in plain],
            )
            self._now = rows[0]["now"]
            for row in rows:
                if row["ord"] is not None:
                    out[plain[row["ord"] - 1]] = Known(
                        prior_of(row), OnRecord(None, False, row["earlier_open"], *approved_of(row), 0, 0)
                    )
        if others:
            found = await self._known_people([prepared[n] for n in others], [macs[n] for n in others])
            for n, known in zip(others, found, strict=True):
                out[n] = known
        return out

    async def _known_people(self, prepared: Sequence[Prepared], macs: Sequence[str]) -> list[Known]:
        capped = sorted({(p.evaluation.tenant_id, p.effect.channel) for p in prepared if p.effect and p.effect.channel})
        if capped:
            # One decider a sender at a time, so that two replicas can't both take the last message of a cap.
            await self._c.execute(
                "select pg_advisory_xact_lock(hashtextextended(t::text || c, 0)) from unnest($1::uuid[], $2::text[]) as x(t, c)",
                [t for t, _ in capped],
                [c for _, c in capped],
            )
        rows = await self._c.fetch(
            KNOWN,
            [p.evaluation.tenant_id for p in prepared],
            [p.evaluation.action_id for p in prepared],
            [p.evaluation.attempt for p in prepared],
            [p.digest for p in prepared],
            [p.contact_id for p in prepared],
            [(p.effect.channel or "") if p.effect else "" for p in prepared],
            [(p.effect.purpose or "") if p.effect else "" for p in prepared],
            list(macs),
            [p.evaluation.subject.id if p.evaluation.subject.kind.value == "agent" else "" for p in prepared],
            MAX_AGE_HOURS,
        )
        self._now = rows[0]["now"]
        return [known_of(row, p) for row, p in zip(rows, prepared, strict=True)]

    async def keep(self, rulings: Sequence[Ruling]) -> None:
        if not rulings:
            return
        columns = list(zip(*(ruling_row(r) for r in rulings), strict=True))
        asked = dict(document_of(r.question) for r in rulings)
        await self._c.execute(KEEP, *[list(column) for column in columns], list(asked), list(asked.values()))

    async def add_approvals(self, approvals: Sequence[tuple[Approval, int, str]]) -> None:
        await self._c.executemany(
            "insert into trust.approvals (tenant_id, approval_id, action_id, action_type, state, role, risk, payload_hash, approvers, "
            "salt, document, requested_at, due_at, expires_at) values ($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11::jsonb,$12,$13,$14)",
            [
                (
                    a.tenant_id,
                    a.approval_id,
                    a.action_id,
                    a.action_type,
                    a.state.value,
                    a.role,
                    a.risk,
                    a.payload_hash,
                    needed,
                    salt,
                    a.model_dump_json(),
                    a.requested_at,
                    a.due_at,
                    a.expires_at,
                )
                for a, needed, salt in approvals
            ],
        )
        await self._c.execute(
            "insert into trust.approval_deadlines (approval_id, tenant_id, expires_at) select * from unnest($1::uuid[], $2::uuid[], $3::timestamptz[])",
            [a.approval_id for a, _, _ in approvals],
            [a.tenant_id for a, _, _ in approvals],
            [a.expires_at for a, _, _ in approvals],
        )
        await self._c.executemany(
            "insert into trust.approval_steps (tenant_id, approval_id, actor, step, note) values ($1, $2, $3, 'requested', '')",
            [(a.tenant_id, a.approval_id, a.requester) for a, _, _ in approvals],
        )

    async def approval(self, tenant_id: UUID, approval_id: UUID, *, lock: bool = False) -> tuple[Approval, int] | None:
        row = await self._c.fetchrow(
            "select * from trust.approvals where tenant_id = $1 and approval_id = $2" + (" for update" if lock else ""),
            tenant_id,
            approval_id,
        )
        if row is None:
            return None
        steps = await self._c.fetch(
            "select at, actor, step, note, on_behalf from trust.approval_steps where tenant_id = $1 and approval_id = $2 order by seq",
            tenant_id,
            approval_id,
        )
        return approval_of(row, steps), row["approvers"]

    async def approvals(
        self, tenant_id: UUID, state: str | None, role: str | None, before: UUID | None, limit: int
    ) -> list[Approval]:
        rows = await self._c.fetch(
            "select * from trust.approvals where tenant_id = $1 and ($2::text is null or state = $2) and ($3::text is null or role = $3) "
            "and ($4::uuid is null or approval_id < $4) order by approval_id desc limit $5",
            tenant_id,
            state,
            role,
            before,
            limit,
        )
        return [approval_of(row, ()) for row in rows]

    async def close_approval(self, approval: Approval, step: str, note: str, on_behalf: str = "") -> None:
        await self._c.execute(
            "update trust.approvals set state = $3, decided_by = $4, decided_at = $5 where tenant_id = $1 and approval_id = $2",
            approval.tenant_id,
            approval.approval_id,
            approval.state.value,
            approval.decided_by,
            approval.decided_at,
        )
        await self._c.execute(
            "with ticks as (delete from trust.approval_ticks where approval_id = $1) "
            "delete from trust.approval_deadlines where approval_id = $1",
            approval.approval_id,
        )
        by = approval.decided_by or "system:trust"
        await self.add_step(approval.tenant_id, approval.approval_id, by, step, note, on_behalf)

    async def add_step(
        self, tenant_id: UUID, approval_id: UUID, actor: str, step: str, note: str, on_behalf: str = ""
    ) -> None:
        sql = "insert into trust.approval_steps (tenant_id, approval_id, actor, step, note, on_behalf) values ($1, $2, $3, $4, $5, $6)"
        await self._c.execute(sql, tenant_id, approval_id, actor, step, note, on_behalf)

    async def stale(self, tenant_id: UUID, contact_ids: Sequence[UUID]) -> list[UUID]:
        # The fresh ones, by index: asked for the missing ones, the planner goes through the whole table once an id.
        rows = await self._c.fetch(
            "select contact_id from trust.contact_facts where tenant_id = $1 and contact_id = any($2::uuid[]) "
            "and refreshed_at > now() - make_interval(hours => $3)",
            tenant_id,
            list(contact_ids),
            MAX_AGE_HOURS,
        )
        fresh = {row["contact_id"] for row in rows}
        return [contact for contact in contact_ids if contact not in fresh]

    async def states(self, tenant_id: UUID, contact_ids: Sequence[UUID]) -> dict[UUID, ContactState]:
        rows = await self._c.fetch(
            """select c.*, array(select s.mac from trust.suppressions s where s.tenant_id = c.tenant_id and s.mac in (c.email_mac, c.phone_mac)) macs
               from trust.contact_facts c where c.tenant_id = $1 and c.contact_id = any($2::uuid[])
                 and c.refreshed_at > now() - make_interval(hours => $3)""",
            tenant_id,
            list(contact_ids),
            MAX_AGE_HOURS,
        )
        # By themselves: looked up contact by contact they took longer than everything else together.
        given = await self._c.fetch(
            """select distinct on (contact_id, channel) contact_id, channel,
                 case when withdrawn_at is not null then 'withdrawn' when expires_at < now() then 'expired' else 'active' end as state
               from trust.consents where tenant_id = $1 and contact_id = any($2::uuid[]) and purpose = 'marketing'
               order by contact_id, channel, captured_at desc""",
            tenant_id,
            list(contact_ids),
        )
        consents: dict[UUID, list[tuple[str, str]]] = {}
        for row in given:
            consents.setdefault(row["contact_id"], []).append((row["channel"], row["state"]))
        return {
            row["contact_id"]: state_of(row, frozenset(row["macs"]), tuple(consents.get(row["contact_id"], ())))
            for row in rows
        }

    async def project(
        self, tenant_id: UUID, facts: Sequence[ContactFacts], macs: Sequence[tuple[str | None, str | None]]
    ) -> None:
        await self._c.execute(
            """insert into trust.contact_facts as f (tenant_id, contact_id, email_mac, phone_mac, source, opted_out, cold, email_valid,
                 collected_directly, obtained_at, version, last_verified_at)
               select $1, * from unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bool[], $8::bool[], $9::bool[],
                 $10::date[], $11::bigint[], $12::timestamptz[])
               on conflict (tenant_id, contact_id) do update set email_mac = excluded.email_mac, phone_mac = excluded.phone_mac,
                 source = excluded.source, opted_out = excluded.opted_out, cold = excluded.cold, email_valid = excluded.email_valid,
                 collected_directly = excluded.collected_directly, obtained_at = excluded.obtained_at, version = excluded.version,
                 last_verified_at = excluded.last_verified_at, refreshed_at = now() where f.version <= excluded.version""",
            tenant_id,
            [f.contact_id for f in facts],
            [email for email, _ in macs],
            [phone for _, phone in macs],
            [f.source for f in facts],
            [f.opted_out for f in facts],
            [f.cold for f in facts],
            [f.email_valid for f in facts],
            [f.collected_directly for f in facts],
            [f.obtained_at for f in facts],
            [f.version for f in facts],
            [f.last_verified_at for f in facts],
        )

    async def forget(self, tenant_id: UUID, contact_ids: Sequence[UUID]) -> None:
        if contact_ids:
            await self._c.execute(
                "delete from trust.contact_facts where tenant_id = $1 and contact_id = any($2::uuid[])",
                tenant_id,
                list(contact_ids),
            )

    async def add_consents(self, tenant_id: UUID, consents: Sequence[ConsentRecord]) -> int:
        rows = await self._c.fetch(
            """insert into trust.consents (tenant_id, consent_id, contact_id, purpose, channel, method, captured_at, evidence,
                 notice_version, expires_at, explicit, bundled_with_service)
               select $1, * from unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
                 $9::text[], $10::timestamptz[], $11::bool[], $12::bool[]) on conflict do nothing returning 1""",
            tenant_id,
            [c.consent_id for c in consents],
            [c.contact_id for c in consents],
            [c.purpose for c in consents],
            [c.channel for c in consents],
            [c.method for c in consents],
            [c.captured_at for c in consents],
            [c.evidence for c in consents],
            [c.notice_version for c in consents],
            [c.expires_at for c in consents],
            [c.explicit for c in consents],
            [c.bundled_with_service for c in consents],
        )
        return len(rows)

    async def withdraw(self, tenant_id: UUID, contact_id: UUID, channel: str | None) -> int:
        rows = await self._c.fetch(
            "update trust.consents set withdrawn_at = now() where tenant_id = $1 and contact_id = $2 "
            "and ($3::text is null or channel = $3) and withdrawn_at is null returning 1",
            tenant_id,
            contact_id,
            channel,
        )
        return len(rows)

    async def consents(
        self, tenant_id: UUID, contact_id: UUID | None, before: UUID | None, limit: int
    ) -> list[ConsentRecord]:
        rows = await self._c.fetch(
            "select consent_id, contact_id, purpose, channel, method, captured_at, evidence, notice_version, expires_at, withdrawn_at, "
            "explicit, bundled_with_service from trust.consents where tenant_id = $1 and ($2::uuid is null or contact_id = $2) and ($3::uuid is null or consent_id < $3) "
            "order by consent_id desc limit $4",
            tenant_id,
            contact_id,
            before,
            limit,
        )
        return [ConsentRecord(**dict(row)) for row in rows]

    async def suppress(self, tenant_id: UUID, mac: str, reason: str, actor: str) -> None:
        await self._c.execute(
            "insert into trust.suppressions (tenant_id, mac, reason, actor) values ($1, $2, $3, $4) on conflict do nothing",
            tenant_id,
            mac,
            reason,
            actor,
        )

    async def suppressed(self, tenant_id: UUID, macs: Sequence[str]) -> frozenset[str]:
        rows = await self._c.fetch(
            "select mac from trust.suppressions where tenant_id = $1 and mac = any($2::text[])", tenant_id, list(macs)
        )
        return frozenset(row["mac"] for row in rows)

    async def close_grants(self, items: Sequence[Settled]) -> list[Settled]:
        rows = await self._c.fetch(
            """insert into trust.grant_closures (tenant_id, grant_id, action_id, attempt, outcome, receipt, closed_at)
               select t, g, a, n, o, r::json, c from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::int[], $5::text[], $6::text[],
                 $7::timestamptz[]) as x(t, g, a, n, o, r, c) on conflict do nothing returning grant_id""",
            [i.tenant_id for i in items],
            [i.grant_id for i in items],
            [i.action_id for i in items],
            [i.attempt for i in items],
            [i.outcome.value for i in items],
            [i.receipt.model_dump_json() if i.receipt else None for i in items],
            [i.at for i in items],
        )
        fresh = {row["grant_id"] for row in rows}
        return [item for item in items if item.grant_id in fresh]

    async def settle_outcome(self, settled: OutcomeSettled) -> bool:
        return await settle_outcome(self._c, settled)

    async def append(self, entries: Sequence[Entry]) -> None:
        await SqlLedgerStore(self._c).append(seal(entries))


class SqlStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def unit(self, *tenants: UUID, plans: Plans = "by_default") -> AsyncIterator[SqlUnit]:
        async with self._database.batch(*tenants, plans=plans) as work:
            yield SqlUnit(work)

    @asynccontextmanager
    async def join(self, work: SessionWork) -> AsyncIterator[SqlUnit]:
        yield SqlUnit(await work.batch())

    async def overdue(self, limit: int) -> dict[UUID, list[UUID]]:
        async with self._database.batch() as work:
            rows = await work.connection.fetch(
                "select tenant_id, approval_id from trust.approval_deadlines where expires_at <= now() order by expires_at limit $1",
                limit,
            )
        out: dict[UUID, list[UUID]] = {}
        for row in rows:
            out.setdefault(row["tenant_id"], []).append(row["approval_id"])
        return out

    async def due_ticks(self, limit: int) -> list[tuple[UUID, UUID, str]]:
        async with self._database.batch() as work:
            rows = await work.connection.fetch(
                "select tenant_id, approval_id, stage from trust.approval_ticks where due_at <= now() order by due_at limit $1",
                limit,
            )
        return [(row["tenant_id"], row["approval_id"], row["stage"]) for row in rows]
