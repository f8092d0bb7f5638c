"""The security gate as people use it: what was found, their word on it, and what it would say of a text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from libs.contracts.errors import Forbidden, Invalid, NotFound
from libs.contracts.message import Principal, PrincipalKind
from libs.contracts.paging import before, page_of
from libs.contracts.screening import (
    DecideFinding,
    Direction,
    FindingDecided,
    FindingsReply,
    FindingsRequest,
    FindingState,
    GateFinding,
    ScreenedText,
    ScreenReply,
    ScreenText,
    Sighting,
    TextsScreened,
)
from libs.contracts.subjects import FINDING_DECIDED
from libs.runtime.database import SessionWork
from libs.screening.screen import screen
from services.trust.ledger.domain.entry import Entry
from services.trust.store import Store, Unit

READERS = frozenset({"owner", "admin", "approver", "operator", "auditor", "compliance_officer", "api_client"})
DECIDERS = frozenset({"owner", "approver", "compliance_officer"})
SYSTEM = "system:trust"


class Screening:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def heard(self, work: SessionWork, event: TextsScreened) -> None:
        """Keep what another plane's reading found, and put it on the ledger: field and kind, never the text."""
        async with self._store.join(work) as unit:
            await unit.findings.keep(event.tenant_id, event.source, event.items)
            await unit.append(
                [_entry(event.tenant_id, event.source, one, event.at, event.trace_id) for one in event.items]
            )

    async def page(self, request: FindingsRequest) -> FindingsReply:
        """Findings, the newest first."""
        who, limit = request.principal, request.page.limit
        if not READERS & set(who.roles):
            raise Forbidden
        state = request.state.value if request.state else None
        async with self._store.unit(who.tenant_id) as unit:
            found = await unit.findings.page(who.tenant_id, state, request.subject, before(request.page), limit + 1)
        items, more = page_of(found, limit, lambda one: one.finding_id)
        return FindingsReply(items=items, next_cursor=more)

    async def decide(self, request: DecideFinding) -> GateFinding:
        """A person's word on a finding. Raises Forbidden for whoever is no person or has no right to it, NotFound."""
        who = request.principal
        if who.kind is not PrincipalKind.USER or not DECIDERS & set(who.roles):
            raise Forbidden
        if request.state is FindingState.OPEN:
            raise Invalid("no_decision", "Release the finding or confirm it.", "أفرج عن الملاحظة أو أكّدها.")
        async with self._store.unit(who.tenant_id) as unit:
            found = await unit.findings.one(who.tenant_id, request.finding_id)
            if found is None:
                raise NotFound
            await unit.findings.decide(who.tenant_id, found.finding_id, request.state, who.id, request.reason)
            await _note(unit, who, found, f"screening.{request.state.value}")
            changed = await unit.findings.one(who.tenant_id, found.finding_id)
            held = bool(await unit.findings.quarantined([(who.tenant_id, found.subject)]))
            unit.emit(
                FINDING_DECIDED,
                FindingDecided(tenant_id=who.tenant_id, subject=found.subject, held=held, at=await unit.now()),
            )
        if changed is None:
            raise NotFound
        return changed

    async def screen(self, request: ScreenText) -> ScreenReply:
        """What the gate sees in a text. Nothing is kept."""
        found = screen(request.text, "inbound" if request.direction is Direction.INBOUND else "outbound")
        seen = tuple(
            Sighting(code=f.code, level=f.level.value, owasp=f.owasp, en=f.kind.en, ar=f.kind.ar) for f in found
        )
        return ScreenReply(level=_strictest(seen), findings=seen)


def _strictest(seen: Sequence[Sighting]) -> str:
    return seen[0].level if seen else "clean"


def _entry(tenant_id: UUID, source: str, one: ScreenedText, at: datetime, trace_id: str) -> Entry:
    data = {"field": one.field, "codes": sorted(one.codes), "source": source}
    return Entry(
        tenant_id=tenant_id,
        kind="screening.found",
        actor=SYSTEM,
        target=one.subject,
        at=at,
        data=data,
        trace_id=trace_id,
    )


async def _note(unit: Unit, who: Principal, found: GateFinding, kind: str) -> None:
    data = {"finding_id": str(found.finding_id), "field": found.field, "code": found.code}
    entry = Entry(
        tenant_id=who.tenant_id, kind=kind, actor=who.id, target=found.subject, at=await unit.now(), data=data
    )
    await unit.append([entry])
