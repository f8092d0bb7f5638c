"""Trust's storage in memory: for tests and flows on the in-memory bus. Kept to the promises of the real one by one suite.

One unit of work at a time, on copies that take the originals' place when it ends well. What row security would hide is not seen, and
what it would refuse is refused.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

from libs.contracts.briefs import BriefHours
from libs.contracts.business_time import RIYADH
from libs.contracts.claims import ClaimSuggestion
from libs.contracts.data import ContactFacts
from libs.contracts.execution import ActionState, Settled
from libs.contracts.governance import Standing
from libs.contracts.message import Message, PrincipalKind
from libs.contracts.settling import OutcomeSettled
from libs.contracts.subjects import Event
from libs.contracts.trust import Approval, ApprovalState, ApprovalStep, ConsentRecord, Outcome
from libs.runtime.database import Plans, SessionWork
from libs.runtime.testing import MemoryDatabase
from services.trust.approvals.domain.clock import THRESHOLDS
from services.trust.approvals.memory import DeskTables, MemoryDesk
from services.trust.consent.memory import MemoryConsents
from services.trust.contradictions.memory import ClaimTables, MemoryContradictions
from services.trust.domain.decide import OnRecord, Prepared
from services.trust.domain.facts import MAX_AGE_HOURS, ContactState
from services.trust.governance.store import MemoryStandings
from services.trust.ledger.domain.entry import Entry, seal
from services.trust.ledger.memory import MemoryLedgerStore
from services.trust.memory_rows import Asked, Decided, Projected
from services.trust.model_calls.memory import MemoryTransfers
from services.trust.own_people.memory import MemoryOwnPeople
from services.trust.rows import Known, Ruling
from services.trust.screening.store import FindingTables, MemoryFindings
from services.trust.sessions.store import MemorySessions
from services.trust.suggestions.store import MemorySuggestions

UNSENT = frozenset({ActionState.NOT_SENT, ActionState.FAILED})


@dataclass
class _Tables:
    """Every key begins with the tenant."""

    decisions: dict[tuple[UUID, UUID, int, str], Decided] = field(default_factory=dict)
    closures: dict[tuple[UUID, UUID], Settled] = field(default_factory=dict)
    resolutions: dict[tuple[UUID, UUID], ActionState] = field(default_factory=dict)
    approvals: dict[tuple[UUID, UUID], Asked] = field(default_factory=dict)
    steps: dict[tuple[UUID, UUID], tuple[ApprovalStep, ...]] = field(default_factory=dict)
    facts: dict[tuple[UUID, UUID], Projected] = field(default_factory=dict)
    consents: dict[tuple[UUID, UUID], ConsentRecord] = field(default_factory=dict)
    sessions: dict[tuple[UUID, str], tuple[int, datetime]] = field(default_factory=dict)
    suppressions: dict[tuple[UUID, str], tuple[str, str]] = field(default_factory=dict)
    caps: dict[tuple[UUID, str, date], int] = field(default_factory=dict)
    desk: DeskTables = field(default_factory=DeskTables)
    claims: ClaimTables = field(default_factory=ClaimTables)
    findings: FindingTables = field(default_factory=FindingTables)
    standings: dict[tuple[UUID, str, str], Standing] = field(default_factory=dict)
    suggestions: dict[tuple[UUID, UUID], ClaimSuggestion] = field(default_factory=dict)
    own_people: dict[tuple[UUID, str], tuple[str, BriefHours | None]] = field(default_factory=dict)
    transfers: set[tuple[UUID, str]] = field(default_factory=set)

    def copy(self) -> _Tables:
        return _Tables(**{name: rows.copy() for name, rows in vars(self).items()})


class MemoryUnit:
    """One unit of work, on tables of its own until it ends well."""

    def __init__(self, tables: _Tables, ledger: MemoryLedgerStore, work: SessionWork, now: datetime) -> None:
        self._t = tables
        self._ledger = ledger
        self._work = work
        self._now = now
        self.desk, self.consent = MemoryDesk(tables, now), MemoryConsents(tables, now)
        self.sessions, self.contradictions = MemorySessions(tables.sessions, now), MemoryContradictions(tables, now)
        self.findings, self.standings = MemoryFindings(tables.findings, now), MemoryStandings(tables.standings, now)
        self.suggestions = MemorySuggestions(tables.suggestions, now)
        self.own_people = MemoryOwnPeople(tables.own_people)
        self.transfers = MemoryTransfers(tables.transfers)

    def _own(self, tenant_id: UUID) -> None:
        if tenant_id not in self._work.tenants:
            raise PermissionError("a row of a tenant that this unit of work does not name")

    def _sees(self, tenant_id: UUID) -> bool:
        return tenant_id in self._work.tenants

    def emit(self, event: Event[Any], message: Message) -> UUID:
        return self._work.emit(event, message)

    async def now(self) -> datetime:
        return self._now

    async def append(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            self._own(entry.tenant_id)
        await self._ledger.append(seal(entries))

    # -- decisions -------------------------------------------------------------------------------------------------------

    async def known(self, prepared: Sequence[Prepared], macs: Sequence[str]) -> list[Known]:
        return [self._known(p, mac) for p, mac in zip(prepared, macs, strict=True)]

    def _known(self, p: Prepared, mac: str) -> Known:
        e, channel = p.evaluation, (p.effect.channel or "") if p.effect else ""
        if not self._sees(e.tenant_id):
            return Known(None, OnRecord(None, False, False, "none", None, 0, 0))
        prior = self._t.decisions.get((e.tenant_id, e.action_id, e.attempt, p.digest))
        approval_state, approval_id = self._asked(e.tenant_id, e.action_id, p.digest)
        touches = 0 if p.contact_id is None else self._touches(e.tenant_id, p.contact_id, channel)
        agent = e.subject.id if e.subject.kind is PrincipalKind.AGENT else ""
        return Known(
            prior.decision if prior else None,
            OnRecord(
                contact=self._contact(p, channel) if channel else None,
                recipient_suppressed=bool(mac) and (e.tenant_id, mac) in self._t.suppressions,
                earlier_attempt_open=self._earlier_open(e.tenant_id, e.action_id, e.attempt),
                approval=approval_state,
                approval_id=approval_id,
                touches_this_week=touches,
                sent_today=self._t.caps.get((e.tenant_id, channel, self._day()), 0) if channel else 0,
                agent_blocks=self._blocks(e.tenant_id, agent) if agent else 0,
            ),
        )

    def _day(self) -> date:
        return self._now.astimezone(RIYADH).date()

    def _left(self, tenant_id: UUID, grant_id: UUID | None) -> bool:
        """Whether what was granted may have left: a grant that nobody has closed may have."""
        if grant_id is None:
            return False
        if (resolved := self._t.resolutions.get((tenant_id, grant_id))) is not None:
            return resolved not in UNSENT
        closure = self._t.closures.get((tenant_id, grant_id))
        return closure is None or closure.outcome not in UNSENT

    def _earlier_open(self, tenant_id: UUID, action_id: UUID, attempt: int) -> bool:
        return any(
            (tenant, action) == (tenant_id, action_id) and number < attempt and self._left(tenant, row.grant_id)
            for (tenant, action, number, _), row in self._t.decisions.items()
        )

    def _touches(self, tenant_id: UUID, contact_id: UUID, channel: str) -> int:
        since = self._now - timedelta(days=7)
        return sum(
            (key[0], row.contact_id, row.channel) == (tenant_id, contact_id, channel)
            and row.at > since
            and self._left(tenant_id, row.grant_id)
            for key, row in self._t.decisions.items()
        )

    def _blocks(self, tenant_id: UUID, agent: str) -> int:
        since = self._now - timedelta(minutes=10)
        return sum(
            key[0] == tenant_id
            and row.subject_id == agent
            and row.decision.outcome is Outcome.REFUSED
            and not row.waited
            and row.at > since
            for key, row in self._t.decisions.items()
        )

    def _asked(self, tenant_id: UUID, action_id: UUID, digest: str) -> tuple[str, UUID | None]:
        found = [
            row.approval
            for (tenant, _), row in self._t.approvals.items()
            if (tenant, row.approval.action_id, row.approval.payload_hash) == (tenant_id, action_id, digest)
        ]
        if not found:
            return "none", None
        newest = max(found, key=lambda approval: approval.approval_id)
        state = newest.state.value if newest.state in _ANSWERS else "lapsed"
        if state == "approved" and self._t.desk.used(tenant_id, newest.approval_id):
            state = "lapsed"
        if state in ("approved", "pending") and newest.expires_at < self._now:
            state = "lapsed"
        return state, newest.approval_id

    def _contact(self, p: Prepared, channel: str) -> ContactState | None:
        tenant_id = p.evaluation.tenant_id
        row = self._fresh(tenant_id, p.contact_id) if p.contact_id is not None else None
        if row is None or p.contact_id is None:
            return None
        purpose = (p.effect.purpose or "") if p.effect else ""
        consent = self._consent(tenant_id, p.contact_id, channel, purpose)
        return _state(row, frozenset(), ((channel, consent),) if consent else ())

    def _fresh(self, tenant_id: UUID, contact_id: UUID) -> Projected | None:
        row = self._t.facts.get((tenant_id, contact_id))
        if row is None or not self._sees(tenant_id) or row.refreshed_at <= self._now - timedelta(hours=MAX_AGE_HOURS):
            return None
        return row

    def _consent(self, tenant_id: UUID, contact_id: UUID, channel: str, purpose: str) -> str | None:
        found = [
            consent
            for (tenant, _), consent in self._t.consents.items()
            if (tenant, consent.contact_id, consent.channel, consent.purpose)
            == (tenant_id, contact_id, channel, purpose)
        ]
        if not found:
            return None
        newest = max(found, key=lambda consent: consent.captured_at)
        if newest.withdrawn_at is not None:
            return "withdrawn"
        return "expired" if newest.expires_at is not None and newest.expires_at < self._now else "active"

    async def keep(self, rulings: Sequence[Ruling]) -> None:
        for ruling in rulings:
            d, p = ruling.decision, ruling.prepared
            self._own(d.tenant_id)
            key = (d.tenant_id, d.action_id, d.attempt, p.digest)
            if key in self._t.decisions:
                raise ValueError("an attempt is decided once")
            channel = (p.effect.channel or "") if p.effect else ""
            self._t.decisions[key] = Decided(
                d,
                p.evaluation.subject.id,
                p.contact_id,
                channel,
                ruling.grant_id,
                ruling.question.earlier_attempt_open,
                self._now,
            )
            if channel and ruling.grant_id is not None:
                sender = (d.tenant_id, channel, self._day())
                self._t.caps[sender] = self._t.caps.get(sender, 0) + 1

    async def close_grants(self, items: Sequence[Settled]) -> list[Settled]:
        fresh = []
        for item in items:
            self._own(item.tenant_id)
            if (item.tenant_id, item.grant_id) not in self._t.closures:
                self._t.closures[item.tenant_id, item.grant_id] = item
                fresh.append(item)
        return fresh

    async def settle_outcome(self, settled: OutcomeSettled) -> bool:
        key = (settled.tenant_id, settled.grant_id)
        closure = self._t.closures.get(key)
        if closure is None or closure.outcome is not ActionState.UNKNOWN or key in self._t.resolutions:
            return False
        self._t.resolutions[key] = settled.outcome
        return True

    # -- approvals -------------------------------------------------------------------------------------------------------

    async def add_approvals(self, approvals: Sequence[tuple[Approval, int, str]]) -> None:
        for approval, approvers, salt in approvals:
            self._own(approval.tenant_id)
            if self._asked(approval.tenant_id, approval.action_id, approval.payload_hash)[0] == "pending":
                raise ValueError("one approval at a time is pending for a payload")
            self._t.approvals[approval.tenant_id, approval.approval_id] = Asked(approval, approvers, salt)
            await self.add_step(approval.tenant_id, approval.approval_id, approval.requester, "requested", "")

    async def approval(self, tenant_id: UUID, approval_id: UUID, *, lock: bool = False) -> tuple[Approval, int] | None:
        del lock  # units run one at a time
        row = self._t.approvals.get((tenant_id, approval_id))
        if row is None or not self._sees(tenant_id):
            return None
        with_history: Approval = row.approval.evolve(history=self._t.steps.get((tenant_id, approval_id), ()))
        return with_history, row.approvers

    async def approvals(
        self, tenant_id: UUID, state: str | None, role: str | None, before: UUID | None, limit: int
    ) -> list[Approval]:
        found = [
            row.approval
            for (tenant, approval_id), row in self._t.approvals.items()
            if tenant == tenant_id
            and self._sees(tenant)
            and (state is None or row.approval.state.value == state)
            and (role is None or row.approval.role == role)
            and (before is None or approval_id < before)
        ]
        return sorted(found, key=lambda approval: approval.approval_id, reverse=True)[:limit]

    async def close_approval(self, approval: Approval, step: str, note: str, on_behalf: str = "") -> None:
        self._own(approval.tenant_id)
        key = (approval.tenant_id, approval.approval_id)
        stored = self._t.approvals[key]
        closed: Approval = stored.approval.evolve(
            state=approval.state, decided_by=approval.decided_by, decided_at=approval.decided_at
        )
        self._t.approvals[key] = replace(stored, approval=closed)
        await self.desk.drop_ticks(approval.approval_id, [t.stage for t in THRESHOLDS])
        await self.add_step(*key, approval.decided_by or "system:trust", step, note, on_behalf)

    async def add_step(
        self, tenant_id: UUID, approval_id: UUID, actor: str, step: str, note: str, on_behalf: str = ""
    ) -> None:
        self._own(tenant_id)
        before = self._t.steps.get((tenant_id, approval_id), ())
        if step == "approved" and any((s.step, s.actor) == (step, actor) for s in before):
            raise ValueError("a person votes once")
        self._t.steps[tenant_id, approval_id] = (
            *before,
            ApprovalStep(at=self._now, actor=actor, step=step, note=note, on_behalf=on_behalf),
        )

    # -- contacts, consent, suppression ----------------------------------------------------------------------------------

    async def stale(self, tenant_id: UUID, contact_ids: Sequence[UUID]) -> list[UUID]:
        return [contact_id for contact_id in contact_ids if self._fresh(tenant_id, contact_id) is None]

    async def states(self, tenant_id: UUID, contact_ids: Sequence[UUID]) -> dict[UUID, ContactState]:
        out = {}
        for contact_id in contact_ids:
            row = self._fresh(tenant_id, contact_id)
            if row is None:
                continue
            channels = {c.channel for (tenant, _), c in self._t.consents.items() if tenant == tenant_id}
            given = ((c, self._consent(tenant_id, contact_id, c, "marketing")) for c in sorted(channels))
            macs = {mac for mac in (row.email_mac, row.phone_mac) if mac and (tenant_id, mac) in self._t.suppressions}
            out[contact_id] = _state(row, frozenset(macs), tuple((c, state) for c, state in given if state is not None))
        return out

    async def project(
        self, tenant_id: UUID, facts: Sequence[ContactFacts], macs: Sequence[tuple[str | None, str | None]]
    ) -> None:
        self._own(tenant_id)
        for fact, (email_mac, phone_mac) in zip(facts, macs, strict=True):
            before = self._t.facts.get((tenant_id, fact.contact_id))
            if before is None or before.facts.version <= fact.version:
                self._t.facts[tenant_id, fact.contact_id] = Projected(fact, email_mac, phone_mac, self._now)

    async def forget(self, tenant_id: UUID, contact_ids: Sequence[UUID]) -> None:
        if self._sees(tenant_id):
            for contact_id in contact_ids:
                self._t.facts.pop((tenant_id, contact_id), None)

    async def add_consents(self, tenant_id: UUID, consents: Sequence[ConsentRecord]) -> int:
        self._own(tenant_id)
        fresh = 0
        for consent in consents:
            if not consent.evidence:
                raise ValueError("a consent without evidence is none")
            if (tenant_id, consent.consent_id) not in self._t.consents:
                self._t.consents[tenant_id, consent.consent_id] = consent.evolve(withdrawn_at=None)
                fresh += 1
        return fresh

    async def withdraw(self, tenant_id: UUID, contact_id: UUID, channel: str | None) -> int:
        if not self._sees(tenant_id):
            return 0
        count = 0
        for key, consent in self._t.consents.items():
            fits = key[0] == tenant_id and consent.contact_id == contact_id and channel in (None, consent.channel)
            if fits and consent.withdrawn_at is None:
                self._t.consents[key] = consent.evolve(withdrawn_at=self._now)
                count += 1
        return count

    async def consents(
        self, tenant_id: UUID, contact_id: UUID | None, before: UUID | None, limit: int
    ) -> list[ConsentRecord]:
        found = [
            consent
            for (tenant, consent_id), consent in self._t.consents.items()
            if tenant == tenant_id
            and self._sees(tenant)
            and contact_id in (None, consent.contact_id)
            and (before is None or consent_id < before)
        ]
        return sorted(found, key=lambda consent: consent.consent_id, reverse=True)[:limit]

    async def suppress(self, tenant_id: UUID, mac: str, reason: str, actor: str) -> None:
        self._own(tenant_id)
        self._t.suppressions.setdefault((tenant_id, mac), (reason, actor))

    async def suppressed(self, tenant_id: UUID, macs: Sequence[str]) -> frozenset[str]:
        return frozenset(mac for mac in macs if (tenant_id, mac) in self._t.suppressions)


class MemoryStore:
    """One process's store. `ledger` holds what was recorded; a failed unit of work leaves nothing in either."""

    def __init__(self, database: MemoryDatabase, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._database = database
        self._now = now
        self._tables = _Tables()
        self._one_at_a_time = asyncio.Lock()
        self.commits = 0
        """Units of work that ended well, so far."""
        self.ledger = MemoryLedgerStore(now=now)

    @asynccontextmanager
    async def unit(self, *tenants: UUID, plans: Plans = "by_default") -> AsyncIterator[MemoryUnit]:
        async with self._database.work(*tenants) as work, self.join(work) as unit:
            yield unit

    @asynccontextmanager
    async def join(self, work: SessionWork) -> AsyncIterator[MemoryUnit]:
        async with self._one_at_a_time, self.ledger.transaction():
            tables = self._tables.copy()
            yield MemoryUnit(tables, self.ledger, work, self._now())
            self._tables = tables
            self.commits += 1

    async def overdue(self, limit: int) -> dict[UUID, list[UUID]]:
        due = sorted(
            (row.approval.expires_at, *key)
            for key, row in self._tables.approvals.items()
            if row.approval.state is ApprovalState.PENDING and row.approval.expires_at <= self._now()
        )
        out: dict[UUID, list[UUID]] = {}
        for _, tenant_id, approval_id in due[:limit]:
            out.setdefault(tenant_id, []).append(approval_id)
        return out

    async def due_ticks(self, limit: int) -> list[tuple[UUID, UUID, str]]:
        return self._tables.desk.due(self._now(), limit)


_ANSWERS = frozenset({ApprovalState.APPROVED, ApprovalState.REJECTED, ApprovalState.PENDING})


def _state(row: Projected, suppressed: frozenset[str], consents: tuple[tuple[str, str], ...]) -> ContactState:
    facts = row.facts
    return ContactState(
        contact_id=facts.contact_id,
        email_mac=row.email_mac,
        phone_mac=row.phone_mac,
        source=facts.source,
        opted_out=facts.opted_out,
        cold=facts.cold,
        email_valid=facts.email_valid,
        collected_directly=facts.collected_directly,
        suppressed=suppressed,
        consents=consents,
    )
