"""A record's timeline with what other planes did about it: drafts, actions, approvals, messages and their entries in the ledger."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from libs.contracts.catalogue.lineage import lineage
from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import GetRecord, Happening, ListRecords, TimelineReply, TimelineRequest
from libs.contracts.errors import DealixError
from libs.contracts.lineage import LineageNode, LineageWay
from libs.contracts.message import Page, Principal
from libs.contracts.subjects import RECORD, RECORDS, TIMELINE
from services.gateway.http.context import Gateway
from services.gateway.http.lineage import asking
from services.gateway.lineage import walk

SHOWN = frozenset({"draft", "action", "approval", "message", "entry"})
LEADS = {RecordKind.ACCOUNT: "account_id", RecordKind.CONTACT: "contact_id"}
MOST_LEADS = 50


async def timeline(gateway: Gateway, who: Principal, kind: RecordKind, id: UUID, page: Page) -> TimelineReply:
    """Newest first. A plane that does not answer leaves its part out; the record's own history is always there. Raises NotFound."""
    reply = await gateway.bus.call(TIMELINE, TimelineRequest(principal=who, kind=kind, id=id, page=page))
    if kind.value not in lineage().kinds:
        return reply
    before = datetime.fromisoformat(page.cursor) if page.cursor else None
    # Data's page ends where its last item stands: what is older belongs to the next page, here too.
    since = reply.items[-1].at if reply.next_cursor and reply.items else None
    also = [
        one
        for one in await _effects(gateway, who, kind, id)
        if (before is None or one.at < before) and (since is None or one.at >= since)
    ]
    if not also:
        return reply
    items = sorted((*reply.items, *also), key=lambda one: one.at, reverse=True)
    if len(items) <= page.limit:
        return TimelineReply(items=tuple(items), next_cursor=reply.next_cursor)
    shown = items[: page.limit]
    return TimelineReply(items=tuple(shown), next_cursor=shown[-1].at.isoformat())


async def _effects(gateway: Gateway, who: Principal, kind: RecordKind, id: UUID) -> list[Happening]:
    """What the record caused, and its leads with it."""
    ask, planes = asking(gateway, who)
    try:
        also = await _leads(gateway, who, kind, id)
    except DealixError:
        also = []
    walked, _ = await walk(LineageNode(kind=kind.value, id=str(id)), LineageWay.CAUSED, ask, planes, also)
    return [
        Happening(
            at=step.at, what=step.kind, kind=step.kind, record_id=UUID(step.id), title=step.en,
            detail={"how": step.how, "title_ar": step.ar, "of": step.joined_to.kind, "of_id": step.joined_to.id},
        )
        for step in walked.steps
        if step.kind in SHOWN and step.at is not None
    ]  # fmt: skip


async def _leads(gateway: Gateway, who: Principal, kind: RecordKind, id: UUID) -> list[LineageNode]:
    if kind is RecordKind.DEAL:
        deal = await gateway.bus.call(RECORD, GetRecord(principal=who, kind=kind, id=id))
        found = [deal.values.get("lead_id")]
    elif kind in LEADS:
        asked = ListRecords(
            principal=who, kind=RecordKind.LEAD, where={LEADS[kind]: str(id)}, page=Page(limit=MOST_LEADS)
        )
        found = [one.id for one in (await gateway.bus.call(RECORDS, asked)).items]
    else:
        found = []
    return [LineageNode(kind="lead", id=str(one)) for one in found if one]
