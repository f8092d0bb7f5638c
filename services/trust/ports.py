"""What trust's rooms need of its storage: one transaction, and the store that opens it. PostgreSQL's clock is the clock.

PostgreSQL's is in `store.py`, the in-memory twin in `memory.py`; one suite runs over both.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.data import ContactFacts
from libs.contracts.execution import Settled
from libs.contracts.message import Message
from libs.contracts.settling import OutcomeSettled
from libs.contracts.subjects import Event
from libs.contracts.trust import Approval, ConsentRecord
from libs.runtime.database import Plans, SessionWork
from services.trust.approvals.store import Desk
from services.trust.consent.store import Consents
from services.trust.contradictions.store import Contradictions
from services.trust.domain.decide import Prepared
from services.trust.domain.facts import ContactState
from services.trust.governance.store import Standings
from services.trust.ledger.domain.entry import Entry
from services.trust.model_calls.store import Transfers
from services.trust.own_people.store import OwnPeople
from services.trust.rows import Known, Ruling
from services.trust.screening.store import Findings
from services.trust.sessions.store import Sessions
from services.trust.suggestions.store import Suggestions


class Unit(Protocol):
    """One transaction over a few tenants. `desk` is its part that surrounds a vote."""

    @property
    def desk(self) -> Desk: ...

    @property
    def consent(self) -> Consents: ...

    @property
    def sessions(self) -> Sessions: ...

    @property
    def contradictions(self) -> Contradictions: ...

    @property
    def findings(self) -> Findings: ...

    @property
    def suggestions(self) -> Suggestions: ...

    @property
    def standings(self) -> Standings: ...

    @property
    def own_people(self) -> OwnPeople: ...

    @property
    def transfers(self) -> Transfers: ...

    async def now(self) -> datetime: ...

    async def known(self, prepared: Sequence[Prepared], macs: Sequence[str]) -> list[Known]: ...

    async def keep(self, rulings: Sequence[Ruling]) -> None: ...

    async def add_approvals(self, approvals: Sequence[tuple[Approval, int, str]]) -> None: ...

    async def approval(
        self, tenant_id: UUID, approval_id: UUID, *, lock: bool = False
    ) -> tuple[Approval, int] | None: ...

    async def approvals(
        self, tenant_id: UUID, state: str | None, role: str | None, before: UUID | None, limit: int
    ) -> list[Approval]: ...

    async def close_approval(self, approval: Approval, step: str, note: str, on_behalf: str = "") -> None: ...

    async def add_step(
        self, tenant_id: UUID, approval_id: UUID, actor: str, step: str, note: str, on_behalf: str = ""
    ) -> None: ...

    async def stale(self, tenant_id: UUID, contact_ids: Sequence[UUID]) -> list[UUID]: ...

    async def states(self, tenant_id: UUID, contact_ids: Sequence[UUID]) -> dict[UUID, ContactState]: ...

    async def project(
        self, tenant_id: UUID, facts: Sequence[ContactFacts], macs: Sequence[tuple[str | None, str | None]]
    ) -> None: ...

    async def forget(self, tenant_id: UUID, contact_ids: Sequence[UUID]) -> None: ...

    async def add_consents(self, tenant_id: UUID, consents: Sequence[ConsentRecord]) -> int: ...

    async def withdraw(self, tenant_id: UUID, contact_id: UUID, channel: str | None) -> int: ...

    async def consents(
        self, tenant_id: UUID, contact_id: UUID | None, before: UUID | None, limit: int
    ) -> list[ConsentRecord]: ...

    async def suppress(self, tenant_id: UUID, mac: str, reason: str, actor: str) -> None: ...

    async def suppressed(self, tenant_id: UUID, macs: Sequence[str]) -> frozenset[str]:
        """Those of the identifiers to which nobody may write."""
        ...

    async def close_grants(self, items: Sequence[Settled]) -> list[Settled]: ...

    async def settle_outcome(self, settled: OutcomeSettled) -> bool:
        """Whether a person's word is news: the grant's outcome was unknown, and nobody had settled it."""
        ...

    async def append(self, entries: Sequence[Entry]) -> None: ...

    def emit(self, event: Event[Any], message: Message) -> UUID: ...


class Store(Protocol):
    def unit(self, *tenants: UUID, plans: Plans = "by_default") -> AbstractAsyncContextManager[Unit]:
        """A transaction that sees `tenants`; `plans` as in `Database.batch`."""
        ...

    def join(self, work: SessionWork) -> AbstractAsyncContextManager[Unit]:
        """Take part in an event handler's own unit of work, so that both commit together."""
        ...

    async def overdue(self, limit: int) -> dict[UUID, list[UUID]]:
        """Approvals that nobody answered in time, by tenant."""
        ...

    async def due_ticks(self, limit: int) -> list[tuple[UUID, UUID, str]]:
        """Thresholds of clocks that have been reached, of all tenants: (tenant, approval, stage), oldest first."""
        ...
