"""One list from rows, tickets' clocks and votes: the soonest due first. Pure; the clock is passed in."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from libs.contracts.business_time import Opening, after, between
from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.inbox import Inbox
from libs.contracts.inbox import InboxItem, InboxKind, InboxRow, WaitingVote
from libs.contracts.message import Text
from libs.contracts.paging import UnknownCursor
from services.decision.domain import untrusted

QUOTED = 240
Place = tuple[datetime, UUID]
_SHARED = (
    "kind", "id", "account_name", "channel", "assignee", "priority", "since", "count", "contact_id", "deal_id", "lead_id", "account_id",
)  # fmt: skip


def of_rows(rows: Iterable[InboxRow], rules: Inbox, now: datetime, hours: Opening) -> list[InboxItem]:
    """Items of records. A ticket is listed once its answer or its solution is near or late, by the hours that the tenant works."""
    made = []
    for row in rows:
        due = _due(row, rules, hours)
        near = rules.kinds[InboxKind.TICKET].near_hours
        if row.kind is InboxKind.TICKET and near is not None and between(now, due, hours) > near * 60:
            continue
        made.append(
            InboxItem(
                **{name: getattr(row, name) for name in _SHARED}, title=untrusted.visible(row.title)[:QUOTED],
                text=untrusted.visible(row.text)[:QUOTED], due_at=due, late=due < now,
            )
        )  # fmt: skip
    return made


def _due(row: InboxRow, rules: Inbox, hours: Opening) -> datetime:
    if row.due_at is not None:
        return row.due_at
    if row.kind is InboxKind.TICKET:
        limit = cards().ticket_hours[row.priority or "P2"]
        return after(row.since, (limit.end if row.answered else limit.answer) * 60, hours)
    return after(row.since, (rules.kinds[row.kind].due_hours or 0) * 60, hours)


def of_votes(votes: Iterable[WaitingVote], now: datetime) -> list[InboxItem]:
    """Items of requests for approval, named by what would happen and to whom."""
    made = []
    for one in votes:
        effect = effects().get(one.action_type)
        what = Text(en=effect.en, ar=effect.ar) if effect else None
        made.append(
            InboxItem(
                kind=InboxKind.APPROVAL, id=one.approval_id, title=untrusted.visible(one.target)[:QUOTED] or one.action_type,
                what=what, priority=one.risk, assignee=one.role, since=one.requested_at, due_at=one.due_at, late=one.due_at < now,
            )
        )  # fmt: skip
    return made


def page(items: Iterable[InboxItem], cursor: str | None, limit: int) -> tuple[tuple[InboxItem, ...], str | None]:
    """The part of the list behind the cursor, and the cursor behind that part. What changed place meanwhile is met again or not at all,
    and nothing else is. Raises UnknownCursor."""
    last = _place(cursor) if cursor else None
    ordered = sorted((one for one in items if last is None or _key(one) > last), key=_key)
    shown = tuple(ordered[:limit])
    return shown, f"{shown[-1].due_at.isoformat()}|{shown[-1].id}" if len(ordered) > limit else None


def _key(one: InboxItem) -> Place:
    return one.due_at, one.id


def _place(cursor: str) -> Place:
    due, _, id = cursor.partition("|")
    try:
        at = datetime.fromisoformat(due)
        if at.tzinfo is None:
            raise ValueError("no time zone")
        return at, UUID(id)
    except ValueError as error:
        raise UnknownCursor from error
