"""Rows that make a control pass, fail or stay unknown, written by what writes them in the product: trust's store, the registers, the rights desk."""

from __future__ import annotations

import dataclasses
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast
from uuid import UUID

from libs.contracts.catalogue.actions import effects
from libs.contracts.execution import ActionsSettled, ActionState, Receipt
from libs.contracts.message import Plane, Principal, new_id
from libs.contracts.observed import FactsReported
from libs.contracts.rights import RegisterPut, RightsKind, RightsRequest, RightsState
from libs.contracts.subjects import OBSERVED
from libs.contracts.trust import ApprovalState
from libs.runtime.database import Database
from libs.runtime.delivery import handle_once
from services.trust.handlers import Listener
from services.trust.observations.handlers import taker
from services.trust.rights.registers import Registers
from services.trust.rights.store import RightsStore
from services.trust.store import SqlStore
from tests.unit.trust.store_promises import SALT, approval, consent, facts, prepared, ruling, settled

NOON = datetime.now(UTC).replace(hour=9, minute=0, second=0, microsecond=0) - timedelta(days=2)
"""12:00 in Riyadh, the day before yesterday."""
NO_PROJECTION = cast(Any, None)
"""Closing a grant asks nobody about contacts."""
ACTIVITY = {
    "name": "Outreach", "purpose": "Direct outreach", "legal_basis": "consent", "data_categories": ["contact"], "people": ["customers"],
    "recipients": ["email_smtp"], "retention_days": 365, "safeguards": "TLS",
}  # fmt: skip
PROCESSOR = {
    "name": "Post", "country": "SA", "service": "mail", "connectors": ["email_smtp"], "agreement_ref": "A-1", "subprocessors": ["none"],
    "last_assessed_at": (NOON - timedelta(days=80)).date().isoformat(),
}  # fmt: skip
TRANSFER = {"recipient": "Post", "country": "DE", "purpose": "mail", "safeguard": "standard_clauses"}
BREACH = {
    "summary": "A file went astray",
    "aware_at": "2026-01-01T00:00:00+03:00",
    "personal_data": True,
    "harmful": True,
}


@dataclass
class Book:
    """One tenant's records. `tenant` is new each time, so that nothing is there but what is written."""

    database: Database
    tenant: UUID = field(default_factory=new_id)
    url: str = ""
    """The server's, for what another plane writes."""

    def who(self, number: int = 1) -> Principal:
        return Principal(id=f"user:{number}", kind="user", tenant_id=self.tenant, roles=("compliance_officer",))

    async def contact(self, **changes: Any) -> UUID:
        made = facts(new_id(), **changes)
        async with SqlStore(self.database).unit(self.tenant) as unit:
            await unit.project(self.tenant, [made], [("e", None)])
        return made.contact_id

    async def consents(self, contact: UUID, *, withdrawn: bool = False, **changes: Any) -> None:
        given = {"captured_at": NOON - timedelta(days=9), **changes}
        async with SqlStore(self.database).unit(self.tenant) as unit:
            await unit.add_consents(self.tenant, [consent(contact, **given)])
            if withdrawn:
                await unit.withdraw(self.tenant, contact, None)

    async def sent(
        self, contact: UUID | None = None, *, effect: str = "send_email", at: datetime = NOON, approved: bool = True, by: str = "user:2",
        same: bool = True, agent: str = "", outcome: ActionState = ActionState.SUCCEEDED, carried: dict[str, str] | None = None, **asked: Any,
    ) -> UUID:  # fmt: skip
        """A message that was decided, approved by somebody, and carried out."""
        known = effects()[effect]
        base = prepared(
            self.tenant, effect=effect, action_type=effect, connector=known.connector, operation=known.operation
        )
        e = base.evaluation
        p = dataclasses.replace(base, evaluation=e.evolve(resource=e.resource.evolve(id=str(contact or new_id()))))
        if agent:
            subject = Principal(id=agent, kind="agent", tenant_id=self.tenant, roles=("operator",))
            p = dataclasses.replace(p, evaluation=p.evaluation.evolve(subject=subject))
        asking = approval(p, expires_at=at + timedelta(days=1), **({} if same else {"payload_hash": "0" * 64}))
        made = ruling(p)
        given = {"opt_out_text": True, "sender_identity": True, "connector_mode": "sandbox", **asked}
        decision = made.decision.evolve(approval_id=asking.approval_id if approved else None)
        made = dataclasses.replace(made, question=dataclasses.replace(made.question, **given), decision=decision)
        receipt = Receipt(
            receipt_id=new_id(), tenant_id=self.tenant, action_id=p.evaluation.action_id, attempt=1, grant_id=made.grant_id,
            connector=known.connector, operation=known.operation, mode="sandbox", vendor_id="v", request_digest="r", response_digest="s",
            started_at=at, finished_at=at, sent=carried or {},
        )  # fmt: skip
        closing = settled(made, outcome).evolve(at=at, receipt=receipt)
        done = asking.evolve(state=ApprovalState.APPROVED, decided_by=by, decided_at=at - timedelta(minutes=1))
        async with SqlStore(self.database).unit(self.tenant) as unit:
            if approved:
                await unit.add_approvals([(asking, 1, SALT)])
                await unit.close_approval(done, "approved", "")
            await unit.keep([made])
        async with self.database.work(self.tenant) as work:
            await Listener(SqlStore(self.database), NO_PROJECTION).settled(work, ActionsSettled(items=(closing,)))
        return p.evaluation.action_id

    async def entry(self, kind: str, values: dict[str, Any]) -> None:
        put = RegisterPut(principal=self.who(), kind=kind, entry_id=new_id(), values=values, expected_version=0)
        await Registers(self.database).put(put)

    async def request(self, *, days_ago: int, done: bool, identified: bool = True) -> None:
        received = datetime.now(UTC) - timedelta(days=days_ago)
        made = RightsRequest(
            request_id=new_id(), tenant_id=self.tenant, kind=RightsKind.ACCESS, state=RightsState.RECEIVED, contact_id=new_id(),
            identifier_matches=True, received_at=received, due_at=received + timedelta(days=30),
        )  # fmt: skip
        closed = {"state": RightsState.COMPLETED, "closed_at": datetime.now(UTC)} if done else {}
        by = {"identified_by": "user:1"} if identified else {}
        async with self.database.batch(self.tenant) as work:
            await RightsStore(work.connection).add(made)
            await RightsStore(work.connection).change(made.evolve(**closed, **by))

    async def erased(self) -> None:
        async with self.database.batch(self.tenant) as work:
            request = new_id()
            await RightsStore(work.connection).add_tasks(self.tenant, request, [Plane.DATA])
            await RightsStore(work.connection).done(self.tenant, request, Plane.DATA, {"contacts": 1})


Write = Callable[[Book], Awaitable[Any]]


async def carry(book: Book, plane: Plane, told: FactsReported) -> None:
    """Deliver a report to trust as its consumer does."""
    body = told.model_dump_json().encode()
    await handle_once(book.database, OBSERVED[plane], taker(plane), str(new_id()), body)


async def carry_told(book: Book, plane: Plane, database: Database) -> None:
    """Deliver what a plane has told so far, from its outbox."""
    event = OBSERVED[plane]
    async with database.batch() as work:
        told = await work.connection.fetch("delete from outbox where subject = $1 returning id, body", event.subject)
    for row in sorted(told, key=lambda row: str(row["id"])):
        await handle_once(book.database, event, taker(plane), str(row["id"]), row["body"])


def entries(*given: tuple[str, dict[str, Any]], **sent: Any) -> Write:
    """Register entries, and a message with `sent`."""

    async def write(book: Book) -> None:
        for kind, values in given:
            await book.entry(kind, values)
        if sent:
            await book.sent(**sent)

    return write


def message(*, consented: bool = True, contact: dict[str, Any] | None = None, withdrawn: bool = False, channel: str = "email", **sent: Any) -> Write:  # fmt: skip
    """A contact, perhaps a consent, and a message to them."""

    async def write(book: Book) -> None:
        known = await book.contact(**(contact or {}))
        if consented:
            await book.consents(known, channel=channel, withdrawn=withdrawn)
        at = {"at": datetime.now(UTC) + timedelta(minutes=1)} if withdrawn else {}
        await book.sent(known, **{**at, **sent})

    return write


def contacts(*given: dict[str, Any], rule: dict[str, Any] | None = None, activity: dict[str, Any] | None = None) -> Write:  # fmt: skip
    async def write(book: Book) -> None:
        for one in given:
            await book.contact(**one)
        if rule is not None:
            await book.entry("retention", {"category": "contact", "basis": "policy", **rule})
        if activity is not None:
            await book.entry("processing-activities", activity)

    return write


def requests(**given: Any) -> Write:
    return lambda book: book.request(**given)


def consents(**given: Any) -> Write:
    return lambda book: book.consents(new_id(), **given)


def nothing() -> Write:
    async def write(book: Book) -> None:
        return None

    return write
