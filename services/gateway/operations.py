"""The operations hub: what needs somebody now, from every plane. A part that could not be read says so, and is never taken for well."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Literal

from pydantic import AwareDatetime, BaseModel

from libs.contracts import dead_events, dead_letters, flows, incidents, operating, recoveries, slos, trust
from libs.contracts.catalogue.flows import flow_title
from libs.contracts.catalogue.words import effect_title, joined, word
from libs.contracts.dead_events import DeadEventState
from libs.contracts.dead_letters import LetterState
from libs.contracts.errors import DealixError, Forbidden, RemoteFault
from libs.contracts.flows import FlowStatus
from libs.contracts.message import Page, Principal, Text
from libs.contracts.subjects import (
    APPROVALS,
    CONTROLS,
    DEAD_EVENTS,
    DEAD_LETTERS,
    FLOWS,
    INCIDENTS,
    PLANES,
    RECOVERIES,
    SLOS,
)
from libs.contracts.trust import ApprovalState
from services.gateway.http.context import Gateway

State = Literal["ok", "attention", "unknown", "hidden"]
MOST = 200
"""How many of a list are counted; beyond it the count is "at least"."""
PAGES = 5
"""How many pages of approvals are looked through for those past their time."""
BACKUP_AGE, RESTORE_AGE = timedelta(hours=26), timedelta(days=30)
"""A daily backup with two hours to spare, and a restore test within 30 days (go-live gate)."""
STUCK = (FlowStatus.NEEDS_ATTENTION, FlowStatus.FAILED, FlowStatus.PAUSED)
FIRING = ("burning", "breached", "spent")


SCOPES = {
    "all": Text(en="Everything", ar="كل شيء"), "tenant": Text(en="The tenant", ar="المنشأة"), "connector": Text(en="Connector", ar="موصل"),
    "action_type": Text(en="Action type", ar="نوع إجراء"),
}  # fmt: skip


class Line(BaseModel):
    """One thing: what it is called, how it stands, its figure, and where it is read."""

    name: str
    label: Text
    state: State
    value: str = ""
    at: AwareDatetime | None = None
    path: str = ""


class Part(BaseModel):
    """One subject of the hub. `count` is of what needs somebody; `at_least` where not all was counted. `hidden` is not for this role."""

    name: str
    label: Text
    state: State
    count: int | None = None
    at_least: bool = False
    path: str
    lines: list[Line] = []
    why: Text | None = None


class Operations(BaseModel):
    """All parts; `attention` when one of them needs somebody, `unknown` when none does and one could not be read."""

    at: AwareDatetime
    state: State
    parts: list[Part]


Read = Callable[[Gateway, Principal, datetime], Awaitable[Part]]


async def overview(gateway: Gateway, who: Principal) -> Operations:
    """Every part at once; what one plane does not answer leaves the others."""
    now = gateway.now()
    parts = await asyncio.gather(*(_part(gateway, who, now, read, *named) for read, *named in PARTS))
    states = {one.state for one in parts}
    state: State = "attention" if "attention" in states else "unknown" if "unknown" in states else "ok"
    return Operations(at=now, state=state, parts=list(parts))


async def _part(
    gateway: Gateway, who: Principal, now: datetime, read: Read, name: str, en: str, ar: str, path: str
) -> Part:
    try:
        found = await read(gateway, who, now)
    except DealixError as error:
        hidden = isinstance(error, Forbidden) or (isinstance(error, RemoteFault) and error.status == 403)
        found = Part(
            name=name,
            label=Text(en=en, ar=ar),
            path=path,
            state="hidden" if hidden else "unknown",
            why=Text(en=error.en, ar=error.ar or error.en),
        )
    return found.model_copy(update={"name": name, "label": Text(en=en, ar=ar), "path": path})


def _made(lines: Sequence[Line], count: int, *, at_least: bool = False, known: bool = True) -> Part:
    state: State = "attention" if count else "ok" if known else "unknown"
    return Part(
        name="", label=Text(en="", ar=""), path="", state=state, count=count, at_least=at_least, lines=list(lines)
    )


async def _planes(gateway: Gateway, _: Principal, __: datetime) -> Part:
    found = (await gateway.bus.call(PLANES, operating.HealthRequest())).planes
    lines = [
        Line(
            name=one.plane.value, label=word("plane_name", one.plane.value), value=one.version or "", at=one.last_seen_at,
            state="ok" if one.status == "ok" else "unknown" if one.status == "unknown" else "attention", path="/api/v1/health/planes",
        )
        for one in found
    ]  # fmt: skip
    versions = sorted({one.version for one in found if one.version})
    if len(versions) > 1:
        both = ", ".join(versions)
        label = Text(en="Two releases run side by side", ar="إصداران يعملان معًا")
        lines.append(Line(name="versions", label=label, value=both, state="attention"))
    return _made(lines, sum(one.state != "ok" for one in lines))


async def _queues(gateway: Gateway, who: Principal, _: datetime) -> Part:
    found = [
        one for one in (await gateway.bus.call(SLOS, slos.SlosRequest(principal=who))).items if one.kind == "level"
    ]
    lines = [
        Line(
            name=f"{one.name}.{reading.plane.value}", label=joined(Text(en=one.en, ar=one.ar), word("plane_name", reading.plane.value)),
            state="attention" if reading.over_since else "ok", value=f"{reading.value:g} / {one.limit:g}", at=reading.at, path="/api/v1/slo",
        )
        for one in found for reading in one.readings
    ]  # fmt: skip
    known = bool(found) and all(one.state != "unknown" for one in found)
    return _made(lines, sum(one.state == "attention" for one in lines), known=known)


async def _flows(gateway: Gateway, who: Principal, _: datetime) -> Part:
    replies = await asyncio.gather(
        *(
            gateway.bus.call(FLOWS, flows.FlowsRequest(principal=who, status=one, page=Page(limit=MOST)))
            for one in STUCK
        )
    )
    items = [flow for reply in replies for flow in reply.items]
    lines = [
        Line(
            name=str(one.flow_id), label=flow_title(one.flow), state="attention", value=one.status.value, at=one.updated_at,
            path=f"/api/v1/flows/{one.flow_id}",
        )
        for one in items
    ]  # fmt: skip
    return _made(lines[:MOST], len(items), at_least=any(reply.next_cursor for reply in replies))


async def _dead_letters(gateway: Gateway, who: Principal, _: datetime) -> Part:
    letters = await gateway.bus.call(
        DEAD_LETTERS, dead_letters.DeadLettersRequest(principal=who, state=LetterState.OPEN, page=Page(limit=MOST))
    )
    lines = [
        Line(
            name=str(one.dead_letter_id), label=effect_title(one.action_type), state="attention", at=one.arrived_at,
            path=f"/api/v1/dead-letters/{one.dead_letter_id}",
        )
        for one in letters.items
    ]  # fmt: skip
    return _made(lines, len(lines), at_least=letters.next_cursor is not None)


async def _dead_events(gateway: Gateway, who: Principal, _: datetime) -> Part:
    events = await gateway.bus.call(
        DEAD_EVENTS, dead_events.DeadEventsRequest(principal=who, state=DeadEventState.OPEN, page=Page(limit=MOST))
    )
    lines = [
        Line(
            name=str(one.dead_event_id), label=Text(en=one.subject, ar=one.subject), state="attention", value=one.plane.value, at=one.arrived_at,
            path=f"/api/v1/dead-events/{one.dead_event_id}",
        )
        for one in events.items
    ]  # fmt: skip
    return _made(lines, len(lines), at_least=events.next_cursor is not None)


async def _approvals(gateway: Gateway, who: Principal, now: datetime) -> Part:
    """The newest come first and those past their time are old: pages are read until there are none, and what is left unread is not well."""
    late, cursor = list[trust.Approval](), None
    for _ in range(PAGES):
        asked = trust.ApprovalsRequest(principal=who, state=ApprovalState.PENDING, page=Page(limit=MOST, cursor=cursor))
        waiting = await gateway.bus.call(APPROVALS, asked)
        late += [one for one in waiting.items if one.due_at < now]
        cursor = waiting.next_cursor
        if cursor is None:
            break
    lines = [
        Line(
            name=str(one.approval_id), label=effect_title(one.action_type), state="attention", value=one.role, at=one.due_at,
            path=f"/api/v1/approvals/{one.approval_id}",
        )
        for one in sorted(late, key=lambda one: one.due_at)
    ]  # fmt: skip
    return _made(lines[:MOST], len(late), at_least=cursor is not None, known=cursor is None)


async def _alerts(gateway: Gateway, who: Principal, _: datetime) -> Part:
    found = (await gateway.bus.call(SLOS, slos.SlosRequest(principal=who))).items
    lines = [
        Line(
            name=one.name, label=Text(en=one.en, ar=one.ar), path="/api/v1/slo",
            state="attention" if one.state in FIRING else "unknown" if one.state == "unknown" else "ok",
            value="" if one.budget_left is None or one.state == "unknown" else f"{max(one.budget_left, 0):.0%}",
        )
        for one in found
    ]  # fmt: skip
    # A quiet installation has objectives without enough events to judge; while no budget at all is judged, nothing is known of failures.
    judged = any(one.state == "ok" and one.kind != "level" for one in found)
    return _made(lines, sum(one.state == "attention" for one in lines), known=judged)


async def _incidents(gateway: Gateway, who: Principal, _: datetime) -> Part:
    found = await gateway.bus.call(
        INCIDENTS, incidents.IncidentsRequest(principal=who, open=True, page=Page(limit=MOST))
    )
    lines = [
        Line(
            name=str(one.incident_id), label=one.title, state="attention", value=one.severity.value, at=one.opened_at,
            path=f"/api/v1/incidents/{one.incident_id}",
        )
        for one in found.items
    ]  # fmt: skip
    return _made(lines, len(lines), at_least=found.next_cursor is not None)


async def _paused(gateway: Gateway, who: Principal, _: datetime) -> Part:
    found = [
        one for one in (await gateway.bus.call(CONTROLS, operating.ControlList(principal=who))).items if one.paused
    ]
    lines = [
        Line(
            name=f"{one.scope}:{one.target}", label=_scope(one.scope, one.target), state="attention",
            value=", ".join(plane for plane, held in sorted(one.acknowledged.items()) if held), at=one.changed_at, path="/api/v1/control",
        )
        for one in found
    ]  # fmt: skip
    return _made(lines, len(lines))


def _scope(scope: str, target: str) -> Text:
    named = SCOPES.get(scope, Text(en=scope, ar=scope))
    return named if target == "*" or scope == "tenant" else joined(named, effect_title(target))


async def _backups(gateway: Gateway, who: Principal, now: datetime) -> Part:
    found = (await gateway.bus.call(RECOVERIES, recoveries.RecoveriesRequest(principal=who))).items
    lines = []
    for kind, age, label in (
        ("backup", BACKUP_AGE, Text(en="Last backup", ar="آخر نسخة احتياطية")),
        ("restore_test", RESTORE_AGE, Text(en="Last restore that was proven whole", ar="آخر استعادة مثبتة")),
    ):
        newest = max((one.at for one in found if one.kind == kind), default=None)
        state: State = "ok" if newest is not None and now - newest <= age else "attention"
        lines.append(Line(name=kind, label=label, state=state, at=newest, path="/api/v1/recoveries"))
    return _made(lines, sum(one.state == "attention" for one in lines))


PARTS: tuple[tuple[Read, str, str, str, str], ...] = (
    (_incidents, "incidents", "Open incidents", "حوادث مفتوحة", "/api/v1/incidents?open=true"),
    (_alerts, "alerts", "Objectives and alerts", "الأهداف والتنبيهات", "/api/v1/slo"),
    (_planes, "planes", "Planes and versions", "الخدمات وإصداراتها", "/api/v1/health/planes"),
    (_queues, "queues", "Queues", "الطوابير", "/api/v1/slo"),
    (_flows, "flows", "Flows that need attention", "مسارات تحتاج متابعة", "/api/v1/flows"),
    (
        _approvals,
        "sla_breaches",
        "Approvals past their time",
        "موافقات تجاوزت المهلة",
        "/api/v1/approvals?state=pending",
    ),
    (_dead_letters, "dead_letters", "Dead letters", "الرسائل المتعذّرة", "/api/v1/dead-letters?state=open"),
    (
        _dead_events,
        "dead_events",
        "Events that no plane could take",
        "رسائل داخلية لم تُستلم",
        "/api/v1/dead-events?state=open",
    ),
    (_paused, "paused", "Paused or stopped", "موقوف", "/api/v1/control"),
    (_backups, "backups", "Backups", "النسخ الاحتياطية", "/api/v1/recoveries"),
)
"""Every part of the hub, in the order in which it is read."""
