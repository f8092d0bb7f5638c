"""Partners as decision sees them: scored from their records, set on a board, written to as a proposal that a person sends."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.partners import partner_rules
from libs.contracts.catalogue.records import FieldType, RecordKind, records
from libs.contracts.crm import GetRecord, ListRecords, Record, TimelineRequest
from libs.contracts.data import TenantRequest
from libs.contracts.errors import Invalid
from libs.contracts.message import Page, Provenance, Text
from libs.contracts.partners import (
    MeetingBrief,
    PartnerGet,
    PartnerMessage,
    PartnerMessageReply,
    PartnerScore,
    PipelinePartner,
    PipelineReply,
    PipelineRequest,
    PipelineStage,
)
from libs.contracts.subjects import RECORD, RECORDS, TENANT, TIMELINE
from libs.contracts.trust import Contactability
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.agents.outreach.writer import reviews, sender_of
from services.decision.agents.review import compliance, quality
from services.decision.agents.review.content import Content
from services.decision.domain import provenance, untrusted
from services.decision.partners.domain.fit import fit
from services.decision.partners.domain.named import name_of

PAGES = 5
"""Of more than a thousand partners the newest thousand stand on the board."""
AGENT = "partner_desk"
_LANGUAGES = ("ar", "en")


class Partners:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._bus = runtime.bus

    async def pipeline(self, request: PipelineRequest) -> PipelineReply:
        """All stages in order, each with its partners, the best fit first."""
        found: list[Record] = []
        cursor: str | None = None
        for _ in range(PAGES):
            page = Page(limit=200, cursor=cursor)
            reply = await self._bus.call(
                RECORDS, ListRecords(principal=request.principal, kind=RecordKind.PARTNER, page=page)
            )
            found += reply.items
            cursor = reply.next_cursor
            if cursor is None:
                break
        now = self._runtime.now()
        order = records().kinds[RecordKind.PARTNER].fields["stage"].choices
        placed = sorted((_placed(one, now) for one in found), key=lambda one: (-one.fit, one.name))
        return PipelineReply(
            stages=tuple(
                PipelineStage(
                    stage=stage, name=_stage(stage), partners=tuple(one for one in placed if one.stage == stage)
                )
                for stage in order
            )
        )

    async def score(self, request: PartnerGet) -> PartnerScore:
        """The fit of one partner with its parts. Raises RemoteFault (not_found)."""
        record = await self._record(request)
        rules, found = partner_rules(), fit(record.values, partner_rules())
        offer = rules.offer(found.score)
        kind = rules.types[record.values["type"]]
        return PartnerScore(
            partner_id=record.id, name=name_of(record.values), fit=found.score, parts=found.parts, offer=offer.key,
            offer_name=Text(en=offer.en, ar=offer.ar), white_label=found.white_label, missing=found.missing,
            reasons_en=(f"{kind.en}: {kind.points:g} points", f"{offer.en} at {found.score:g} of 100"),
            reasons_ar=(f"{kind.ar}: {kind.points:g} من النقاط", f"{offer.ar} عند {found.score:g} من 100"),
            provenance=self._origin(record, found.confidence, rules.version),
        )  # fmt: skip

    async def message(self, request: PartnerMessage) -> PartnerMessageReply:
        """A first message as a proposal, read by both reviewers. Raises Invalid for a language we do not write."""
        if request.language not in _LANGUAGES:
            raise Invalid("unknown_language", "The language is ar or en.", "اللغة إما ar أو en.")
        record = await self._record(PartnerGet(principal=request.principal, partner_id=request.partner_id))
        profile = await self._bus.call(TENANT, TenantRequest(tenant_id=request.principal.tenant_id))
        sender = sender_of(profile, "en" if request.language == "en" else "ar")
        found, name = fit(record.values, partner_rules()), name_of(record.values, request.language)
        offer = partner_rules().offer(max(found.score, partner_rules().offers[1].least))
        words = _texts()[request.language]
        fill = {
            "name": name, "sender": sender.company, "person": sender.person, "email": sender.email,
            "offer": offer.en.lower() if request.language == "en" else offer.ar,
        }  # fmt: skip
        subject, body = words["subject"].format_map(fill), words["body"].format_map(fill)
        content = Content(
            channel="email", language=request.language, subject=subject, body=body, status=Contactability.NEEDS_REVIEW,
            sender=(sender.company, sender.person, sender.email), names=(name, sender.company, sender.person),
        )  # fmt: skip
        return PartnerMessageReply(
            partner_id=record.id, language=request.language, subject=subject, body=body,
            facts_used=("partner:name", "partner:type", "tenant:sender"),
            reviews=reviews(compliance.review(content), quality.review(content)),
            provenance=self._origin(record, found.confidence, _texts()["version"]),
        )  # fmt: skip

    async def brief(self, request: PartnerGet) -> MeetingBrief:
        """What is known, what is not, the last things that happened, and what to settle."""
        record = await self._record(request)
        history = await self._bus.call(
            TIMELINE,
            TimelineRequest(principal=request.principal, kind=RecordKind.PARTNER, id=record.id, page=Page(limit=5)),
        )
        fields, found = records().kinds[RecordKind.PARTNER].fields, fit(record.values, partner_rules())
        known = tuple(
            _known(name, record.values[name])
            for name in ("city", "sells_to", "customers", "intros", "paid_pilots", "amount", "partner_since")
            if record.values.get(name) not in (None, "")
        )
        ask = tuple(Text(en=f"Ask: {fields[name].en}", ar=f"اسأل عن: {fields[name].ar}") for name in found.missing)
        own = untrusted.label(record.values.get("next_step")).text
        step = cards().partner_stages[record.values["stage"]].step
        return MeetingBrief(
            partner_id=record.id, name=name_of(record.values), stage=_stage(record.values["stage"]), known=known, ask=ask,
            settle=Text(en=own, ar=own) if own else step,
            last=tuple(
                Text(
                    en=f"{one.at:%Y-%m-%d}: {partner_rules().said(one.what).en}",
                    ar=f"{one.at:%Y-%m-%d}: {partner_rules().said(one.what).ar}",
                )
                for one in history.items
            ),
            provenance=self._origin(record, found.confidence, partner_rules().version),
        )  # fmt: skip

    async def _record(self, request: PartnerGet) -> Record:
        wanted = GetRecord(principal=request.principal, kind=RecordKind.PARTNER, id=request.partner_id)
        return await self._bus.call(RECORD, wanted)

    def _origin(self, record: Record, confidence: float, version: str) -> Provenance:
        now = self._runtime.now()
        return provenance.local(
            now=now, by=AGENT, engine="rules", version=version, confidence=confidence,
            freshness=provenance.freshness_hours(now, [record.updated_at]), sources=(f"partner:{record.id}",),
            trace_id=telemetry.trace_id(),
        )  # fmt: skip


def _known(name: str, value: Any) -> Text:
    """A fact of a partner's record as people say it."""
    field = records().kinds[RecordKind.PARTNER].fields[name]
    said = partner_rules().said(str(value)) if field.choices else Text(en=str(value), ar=str(value))
    if field.type is FieldType.MONEY:
        said = Text(en=f"SAR {Decimal(str(value)):,.2f}", ar=f"{Decimal(str(value)):,.2f} ر.س")
    return Text(en=f"{field.en}: {said.en}", ar=f"{field.ar}: {said.ar}")


def _placed(record: Record, now: datetime) -> PipelinePartner:
    values, found = record.values, fit(record.values, partner_rules())
    kind = partner_rules().types[values["type"]]
    return PipelinePartner(
        partner_id=record.id, name=name_of(record.values), type=values["type"], type_name=Text(en=kind.en, ar=kind.ar), stage=values["stage"],
        amount=values.get("amount"), owner=values.get("owner"), next_step=values.get("next_step"), next_step_on=values.get("next_step_on"),
        age_days=max(0, (now - record.updated_at).days), fit=found.score, offer=partner_rules().offer(found.score).key, version=record.version,
    )  # fmt: skip


def _stage(stage: str) -> Text:
    named = cards().partner_stages[stage]
    return Text(en=named.en, ar=named.ar)


@cache
def _texts() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(Path(__file__).with_name("messages.yaml").read_text(encoding="utf-8"))
    return loaded
