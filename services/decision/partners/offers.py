"""Builds offers to partners; where it is wanted, asks execution to send one, which trust decides and a person approves."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any
from uuid import UUID

from libs.contracts import subjects
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.partners import partner_rules
from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import GetRecord, ListRecords, Record
from libs.contracts.data import TenantProfile, TenantRequest
from libs.contracts.errors import Conflict
from libs.contracts.execution import ActionItem, SubmitRequest, SubmitResult
from libs.contracts.message import Page, Principal, Reason, Text, derived_id
from libs.contracts.partners import BuildOffer, PartnerOffer
from libs.contracts.trust import ResourceRef
from libs.runtime import telemetry
from libs.runtime.plane import Runtime
from services.decision.agents.outreach.writer import sender_of
from services.decision.domain import provenance
from services.decision.drafting import with_own_link
from services.decision.partners.domain.fit import fit
from services.decision.partners.domain.named import name_of
from services.decision.partners.domain.offering import Document, Terms, document, form_of, offer_texts

EFFECT = "partner_offer_send"
NO_ADDRESS = Reason(
    code="no_address", en="The partner's record has no e-mail address.", ar="لا يوجد بريد إلكتروني في سجل الشريك.",
)  # fmt: skip
NO_CONTACT = Reason(
    code="no_contact", en="No contact has the partner's e-mail address: record the person as a contact first.",
    ar="لا توجد جهة اتصال بهذا البريد: سجّل الشخص جهةَ اتصال أولًا.",
)  # fmt: skip


class NotSendable(Conflict):
    def __init__(self, why: Reason) -> None:
        super().__init__(f"offer_{why.code}", why.en, why.ar)


class NotSubmitted(Conflict):
    def __init__(self, why: Reason) -> None:
        super().__init__(why.code, why.en, why.ar)


class PartnerOffers:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._bus = runtime.bus

    async def build(self, request: BuildOffer) -> PartnerOffer:
        """The offer as a document; sent only where that is asked for, as an action that a person approves.

        Raises NotFound, NoOfferFits, OfferNotEarned, WhiteLabelNotEarned; for sending NotSendable, NotSubmitted.
        """
        who, now = request.principal, self._runtime.now()
        record = await self._bus.call(
            subjects.RECORD, GetRecord(principal=who, kind=RecordKind.PARTNER, id=request.partner_id)
        )
        rules, found = partner_rules(), fit(record.values, partner_rules())
        kind = form_of(found, request.kind, rules.white_label_paid_pilots)
        profile = await self._bus.call(subjects.TENANT, TenantRequest(tenant_id=who.tenant_id))
        until = (now + timedelta(days=request.valid_days)).astimezone(RIYADH).date()
        made = document(kind, request.language, _terms(request, record, profile, until))
        recipient, why = await self._recipient(who, record)
        # The same offer asked for again is the same action, so that nobody gets it twice.
        offer_id = derived_id(record.id, EFFECT, kind, request.language, request.commission_percent, until)
        result = None
        if request.send:
            if recipient is None:
                raise NotSendable(why or NO_CONTACT)
            result = await self._send(request, offer_id, made, recipient, record, profile)
        return PartnerOffer(
            offer_id=offer_id, partner_id=record.id, partner_name=name_of(record.values, request.language), kind=made.kind, title=made.title,
            fit=found.score, clauses=made.clauses, open_points=made.open_points, valid_until=until, language=request.language,
            subject=made.subject, body=made.body, recipient=recipient, not_sendable=why, action_id=result.action_id if result else None,
            state=result.state.value if result and result.state else None,
            provenance=provenance.local(
                now=now, by="offer_builder", engine="template", version=offer_texts().version, confidence=found.confidence,
                freshness=provenance.freshness_hours(now, [record.updated_at]), sources=(f"partner:{record.id}",),
                trace_id=telemetry.trace_id(),
            ),
        )  # fmt: skip

    async def _recipient(self, who: Principal, record: Record) -> tuple[UUID | None, Reason | None]:
        """The contact with the partner's address, or why there is none: trust knows contacts, and lets nothing go to anybody else."""
        address = record.values.get("email")
        if not address:
            return None, NO_ADDRESS
        asked = ListRecords(principal=who, kind=RecordKind.CONTACT, where={"email": str(address)}, page=Page(limit=1))
        found = (await self._bus.call(subjects.RECORDS, asked)).items
        return (found[0].id, None) if found else (None, NO_CONTACT)

    async def _send(
        self, request: BuildOffer, offer_id: UUID, made: Document, recipient: UUID, record: Record, profile: TenantProfile
    ) -> SubmitResult:  # fmt: skip
        linked = await with_own_link(self._bus, profile, recipient)
        payload: dict[str, Any] = {
            "to": str(record.values["email"]), "subject": made.subject, "body": made.body, "from_email": profile.sender_email,
            "from_name": sender_of(profile, request.language).person, "language": request.language, "opt_out_url": linked.opt_out_url,
            "template_version": offer_texts().version, "account_name": name_of(record.values, request.language),
        }  # fmt: skip
        item = ActionItem(
            action_id=offer_id, action_type=EFFECT, resource=ResourceRef(type="contact", id=str(recipient)), payload=payload,
            reason=f"{made.title.en} · {record.id}", run_id=f"partner_offer:{offer_id}",
        )  # fmt: skip
        reply = await self._bus.call(subjects.SUBMIT, SubmitRequest(principal=request.principal, items=(item,)))
        result = reply.results[0]
        if result.error is not None:
            raise NotSubmitted(result.error)
        return result


def _terms(request: BuildOffer, record: Record, profile: TenantProfile, until: date) -> Terms:
    sender = sender_of(profile, request.language)
    return Terms(
        partner=Text(en=name_of(record.values, "en"), ar=name_of(record.values, "ar")),
        sender=Text(en=profile.name_en or profile.name_ar, ar=profile.name_ar or profile.name_en), person=sender.person, email=sender.email,
        commission=request.commission_percent, until=until,
    )  # fmt: skip


def serve_offers(runtime: Runtime) -> None:
    runtime.bus.serve(subjects.PARTNER_OFFER, PartnerOffers(runtime).build)
