"""Attribution as people ask for it: a deal's touchpoints are read from its activities, its lead and its partner, then split."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from libs.contracts import crm, subjects
from libs.contracts.attribution import (
    Attribution,
    AttributionRequest,
    AttributionsReply,
    AttributionsRequest,
    TouchKind,
    Touchpoint,
)
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.records import RecordKind, Stage
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.message import Page, Principal, Text
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.attribution.domain.split import Split, Touch, split
from services.decision.attribution.rules import rules
from services.decision.domain.provenance import freshness_hours, local

VERSION = "attribution-1"
K = RecordKind
RIVALS = Text(
    en="A partner and another source both claim to have brought this deal.",
    ar="شريك ومصدر آخر ينسب كل منهما الصفقة إلى نفسه.",
)
NOTHING = Text(en="No touchpoint is on record.", ar="لا نقاط تواصل مسجلة.")
FROM_PARTNERS = frozenset({"partner_intro", "referral"})
"""Sources that say the same as a partner on the deal."""


class Attributing:
    def __init__(self, runtime: Runtime) -> None:
        rules()  # a wrong file stops the start
        self._runtime = runtime

    async def one(self, request: AttributionRequest) -> Attribution:
        """A deal's split. Raises NotFound."""
        who = request.principal
        deal = await self._record(who, K.DEAL, request.deal_id)
        return await self._of(who, deal)

    async def won(self, request: AttributionsRequest) -> AttributionsReply:
        """The splits of deals that were won."""
        who = request.principal
        asked = crm.ListRecords(principal=who, kind=K.DEAL, where={"stage": Stage.WON.value}, page=request.page)
        found = await self._runtime.bus.call(subjects.RECORDS, asked)
        items = await asyncio.gather(*(self._of(who, deal) for deal in found.items))
        return AttributionsReply(items=tuple(items), next_cursor=found.next_cursor)

    async def _of(self, who: Principal, deal: crm.Record) -> Attribution:
        now, values = self._runtime.now(), deal.values
        closed = moment(values.get("closed_at"))
        until = closed or now
        lead = await self._maybe(who, K.LEAD, values.get("lead_id"))
        activities = await self._activities(who, deal)
        touches = sorted((*_origins(deal, lead), *_touches(activities, deal)), key=lambda one: (one.at, one.record))
        touches = [one for one in touches if one.at <= until]
        found = split(touches, until, rules())
        reasons = _reasons(deal, lead, found)
        read = [deal.updated_at, *(one.updated_at for one in activities), *([lead.updated_at] if lead else [])]
        amount = values.get("amount")
        return Attribution(
            deal_id=deal.id, title=str(values.get("title") or ""), account_name=deal.names.get("account_id", ""), stage=str(values["stage"]),
            amount=None if amount is None else Decimal(str(amount)), currency=str(values.get("currency") or "SAR"), closed_at=closed,
            touchpoints=tuple(
                Touchpoint(
                    kind=one.kind, channel=one.channel, title=one.title, direction=one.direction, at=one.at, record=one.record, share=share
                )
                for one, share in zip(touches, found.shares, strict=True)
            ),
            channels=found.channels, models=found.models, confidence=found.confidence, needs_person=bool(reasons), reasons=reasons,
            provenance=local(
                now=now, by="revenue_attribution", engine="rules", version=VERSION, confidence=found.confidence,
                freshness=freshness_hours(now, read), sources=[f"deal:{deal.id}", *dict.fromkeys(one.record for one in touches)],
                trace_id=telemetry.trace_id(),
            ),
        )  # fmt: skip

    async def _activities(self, who: Principal, deal: crm.Record) -> list[crm.Record]:
        """Those of the deal, and those of its lead and contact that are no other deal's."""
        fields = [("deal_id", str(deal.id)), *((name, str(deal.values[name])) for name in ("lead_id", "contact_id") if deal.values.get(name))]  # fmt: skip
        page = Page(limit=rules().most)
        replies = await asyncio.gather(
            *(
                self._runtime.bus.call(
                    subjects.RECORDS, crm.ListRecords(principal=who, kind=K.ACTIVITY, where={name: id}, page=page)
                )
                for name, id in fields
            )
        )
        found = {one.id: one for reply in replies for one in reply.items}
        return [one for one in found.values() if one.values.get("deal_id") in (None, str(deal.id))]

    async def _record(self, who: Principal, kind: RecordKind, id: Any) -> crm.Record:
        return await self._runtime.bus.call(subjects.RECORD, crm.GetRecord(principal=who, kind=kind, id=id))

    async def _maybe(self, who: Principal, kind: RecordKind, id: object) -> crm.Record | None:
        """A record that is named; None where it is gone."""
        if not id:
            return None
        try:
            return await self._record(who, kind, id)
        except DealixError as error:
            if error.status == NotFound.status:
                return None
            raise


def _origins(deal: crm.Record, lead: crm.Record | None) -> list[Touch]:
    """How it began: where the lead was obtained, and the partner who brought the deal."""
    found = []
    if lead is not None and (source := str(lead.values.get("source") or "")):
        at = moment(lead.values.get("obtained_at")) or lead.created_at
        title = str(lead.values.get("source_detail") or source)
        found.append(Touch(TouchKind.SOURCE, f"source:{source}", title, min(at, deal.created_at), f"lead:{lead.id}"))
    if partner := deal.values.get("partner_id"):
        name = deal.names.get("partner_id", "")
        found.append(Touch(TouchKind.PARTNER, f"partner:{partner}", name, deal.created_at, f"partner:{partner}"))
    return found


def _touches(activities: list[crm.Record], deal: crm.Record) -> list[Touch]:
    kinds: Mapping[str, TouchKind] = {one.value: one for one in TouchKind}
    found = []
    for one in activities:
        kind, at = kinds.get(str(one.values.get("type"))), moment(one.values.get("at"))
        if kind is not None and at is not None:  # a note touches nobody
            title, direction = str(one.values.get("subject") or ""), str(one.values.get("direction") or "")
            found.append(Touch(kind, kind.value, title, at, f"activity:{one.id}", direction))
    return found


def _reasons(deal: crm.Record, lead: crm.Record | None, found: Split) -> tuple[Text, ...]:
    """Why a person has to look before the split is used."""
    if not found.shares:
        return (NOTHING,)
    reasons = []
    source = str(lead.values.get("source") or "") if lead else ""
    if deal.values.get("partner_id") and source and source not in FROM_PARTNERS:
        reasons.append(RIVALS)
    least = rules().person_below
    if found.confidence < least:
        reasons.append(
            Text(
                en=f"The models agree to {found.confidence:.0%}, less than {least:.0%}.",
                ar=f"اتفاق النماذج {found.confidence:.0%}، دون {least:.0%}.",
            )
        )
    return tuple(reasons)


def moment(value: object) -> datetime | None:
    """A field's moment; of a day its beginning in Riyadh."""
    if not value:
        return None
    text = str(value)
    if len(text) == 10:
        return datetime.combine(date.fromisoformat(text), time(), RIYADH)
    return datetime.fromisoformat(text)


def serve_attribution(runtime: Runtime) -> None:
    attributing = Attributing(runtime)
    runtime.bus.serve(subjects.ATTRIBUTION, attributing.one)
    runtime.bus.serve(subjects.ATTRIBUTIONS, attributing.won)
