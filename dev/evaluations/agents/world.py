"""Planes that answer what a case says they know, on the in-memory bus: an agent is evaluated whole, with nothing but its question made up."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any
from uuid import UUID

from libs.contracts.canaries import Assigned, AssignRun
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.crm import GetRecord, ListRecords, Record, RecordsReply
from libs.contracts.data import Lead, LeadsReply, LeadsRequest, TenantProfile, TenantRequest
from libs.contracts.embedding import Embedded, EmbedTexts
from libs.contracts.errors import NotFound
from libs.contracts.governance import StandingsReply, StandingsRequest
from libs.contracts.knowledge import KnowledgeReply, KnowledgeSearch, Passage
from libs.contracts.message import Plane
from libs.contracts.metrics import MetricGet, MetricValue
from libs.contracts.outreach import ChannelReputation, ReputationReply, ReputationRequest
from libs.contracts.subjects import (
    APPROVAL,
    ASSIGN_RUN,
    EMBED,
    LEADS,
    METRICS,
    RECORD,
    RECORDS,
    REPUTATION,
    SEARCH_KNOWLEDGE,
    STANDINGS,
    TENANT,
    WAITING,
)
from libs.contracts.trust import Approval, ApprovalRequest, ApprovalState
from libs.contracts.waiting import WaitingDeal, WaitingReply, WaitingRequest, WaitingTicket
from libs.runtime.testing import MemoryBus, MemoryHub
from services.data.knowledge.embedder import LocalEmbedder

TENANT_ID = UUID("01930000-0000-7000-8000-0000000000aa")
NOW = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
"""A Sunday at eleven in Riyadh."""
PROFILE = TenantProfile(
    tenant_id=TENANT_ID, slug="ofoq", name_en="Ofoq", name_ar="شركة أفق", sender_name="سارة الحربي", sender_email="sales@ofoq.example",
    opt_out_url="https://ofoq.example/u/1",
)  # fmt: skip


def id_of(number: int) -> UUID:
    return UUID(int=(0x01930000_0000_7000_8000 << 48) + number)


def before(**ago: float) -> datetime:
    return NOW - timedelta(**ago)


@cache
def _embedder() -> LocalEmbedder:
    return LocalEmbedder()


class World:
    """`known` is what the case says that other planes know."""

    def __init__(self, known: Mapping[str, Any], version: str = "") -> None:
        self._known = known
        self._version = version

    def serve(self, hub: MemoryHub) -> MemoryBus:
        """Put every plane that decision asks on the hub; decision's own bus comes back."""
        execution, trust, data = hub.bus(Plane.EXECUTION), hub.bus(Plane.TRUST), hub.bus(Plane.DATA)
        execution.serve(ASSIGN_RUN, self._assign)
        trust.serve(STANDINGS, self._standings)
        trust.serve(APPROVAL, self._approval)
        data.serve(LEADS, self._leads)
        data.serve(TENANT, self._tenant)
        data.serve(SEARCH_KNOWLEDGE, self._search)
        data.serve(EMBED, self._embed)
        data.serve(WAITING, self._waiting)
        data.serve(REPUTATION, self._reputation)
        data.serve(RECORD, self._record)
        data.serve(RECORDS, self._records)
        data.serve(METRICS[Plane.DATA], self._metric)
        return hub.bus(Plane.DECISION)

    async def _assign(self, _: AssignRun) -> Assigned:
        return Assigned(version=self._version)

    async def _standings(self, _: StandingsRequest) -> StandingsReply:
        return StandingsReply(items=())

    async def _leads(self, request: LeadsRequest) -> LeadsReply:
        if "lead" not in self._known:
            return LeadsReply(items=())
        given = {
            "lead_id": request.lead_ids[0], "account_id": id_of(2), "contact_id": id_of(3), "account_name": "شركة نجد التقنية", "source": "website_form",
            "contact_name": "سارة القحطاني", "email": "s@najd.example", "contactability": {"email": "safe", "whatsapp": "safe"},
            "obtained_at": before(days=4).date(), "last_activity_at": before(days=3).date(), "updated_at": before(days=1), **self._known["lead"],
        }  # fmt: skip
        return LeadsReply(items=(Lead.model_validate(given),))

    async def _tenant(self, _: TenantRequest) -> TenantProfile:
        return PROFILE

    async def _search(self, _: KnowledgeSearch) -> KnowledgeReply:
        items = tuple(
            Passage(
                chunk_id=id_of(100 + number), document_id=id_of(50 + number), title=one.get("title", "Guide"), file_name="guide.md", source="",
                heading=one.get("heading", ""), page=one.get("page"), position=number, text=one["text"], score=1.0 - number / 10,
                found_by=tuple(one.get("found_by", ("words", "meaning"))), added_at=before(days=10), age_hours=240.0,
            )
            for number, one in enumerate(self._known.get("passages", ()))
        )  # fmt: skip
        return KnowledgeReply(items=items, model_id="test")

    async def _embed(self, request: EmbedTexts) -> Embedded:
        """By the model that is shipped: what an answer means is not made up."""
        vectors = await _embedder().vectors(request.texts)
        return Embedded(model_id=_embedder().model_id, vectors=tuple(tuple(one) for one in vectors))

    async def _waiting(self, _: WaitingRequest) -> WaitingReply:
        tickets = tuple(
            WaitingTicket(
                ticket_id=id_of(one["id"]), title="طلب دعم", account_name=None, priority=one["priority"], status="open",
                opened_at=before(hours=one["hours"]), answered_at=before(hours=1) if one.get("answered") else None,
            )
            for one in self._known.get("tickets", ())
        )  # fmt: skip
        return WaitingReply(tickets=tickets, deals=self._quiet("deals"), quiet=self._quiet("customers"))

    def _quiet(self, kind: str) -> tuple[WaitingDeal, ...]:
        return tuple(
            WaitingDeal(
                deal_id=id_of(one["id"]), account_name="شركة نجد", title="عقد", stage="open", amount=None, currency="SAR",
                touched_at=before(days=one["days"]), lead_id=None,
            )
            for one in self._known.get(kind, ())
        )  # fmt: skip

    async def _reputation(self, _: ReputationRequest) -> ReputationReply:
        return ReputationReply(items=tuple(
            ChannelReputation(channel=name, score=30, paused=True, counts={}, rates={}, deductions=(), days=30)
            for name in self._known.get("paused", ())
        ))  # fmt: skip

    async def _record(self, request: GetRecord) -> Record:
        if "deal" not in self._known:
            raise NotFound
        values = {
            "account_id": str(id_of(2)),
            "title": "عقد",
            "stage": "negotiating",
            "amount": "100000.00",
            **self._known["deal"],
        }
        return Record(
            kind=request.kind, id=request.id, version=1, values=values, created_at=before(days=30), updated_at=before(days=2)
        )  # fmt: skip

    async def _records(self, _: ListRecords) -> RecordsReply:
        return RecordsReply(items=())

    async def _metric(self, request: MetricGet) -> MetricValue:
        given = self._known.get("metrics", {}).get(request.name)
        this = request.since is not None and request.since.month == NOW.month
        value = None if given is None else given[0 if this else 1]
        one = metrics()[request.name]
        return MetricValue(
            name=request.name, unit=one.unit, en=one.en, ar=one.ar, definition_en=one.definition_en, definition_ar=one.definition_ar,
            freshness_hours=0.0, value=None if value is None else Decimal(str(value)), no_data=value is None, since=request.since or NOW,
            until=request.until or NOW, as_of=NOW, rows=1, counted=1,
        )  # fmt: skip

    async def _approval(self, request: ApprovalRequest) -> Approval:
        if "approval" not in self._known:
            raise NotFound
        given = {
            "approval_id": request.approval_id, "tenant_id": TENANT_ID, "action_id": id_of(9), "action_type": "send_email",
            "state": ApprovalState.PENDING, "role": "sales_manager", "risk": "medium", "reason": "", "requester": "agent:outreach_writer",
            "value_sar": None, "payload": "{}", "payload_hash": "0" * 64, "view": {"title_en": "E-mail"}, "view_hash": "0" * 64,
            "policy_version": "1", "requested_at": before(hours=5), "due_at": before(hours=-3), "expires_at": before(days=-2), "compensation": "",
            **self._known["approval"],
        }  # fmt: skip
        return Approval.model_validate(given)
