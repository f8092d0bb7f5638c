"""Consents and suppressions: what people allowed us, and whom we never contact again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from libs.contracts import trust
from libs.contracts.consent import Suppression, SuppressionsRequest
from libs.contracts.errors import NotFound
from libs.contracts.message import Page, Principal
from libs.contracts.subjects import (
    CONSENTS,
    LEDGER,
    PROOF,
    RECORD_CONSENTS,
    SUPPRESS,
    SUPPRESSIONS,
    WITHDRAW_CONSENT,
)
from libs.contracts.trust import ConsentRecord, LedgerEntry, ProofReply
from services.gateway.errors import Unprocessable
from services.gateway.http.bodies import Body, Id, Items, Moment, PagingDep, Word, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import IdsDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["trust"], responses=RESPONSES)

Keeper = Annotated[Principal, require("consents")]
Reader = Annotated[Principal, require("consents", reading=True)]
Importer = Annotated[Principal, require("import")]
MOST_PAGES = 500


class NewConsent(Body):
    """What a person agreed to, and the proof of it (PDPL Implementing Regulation article 11)."""

    contact_id: Id
    purpose: Word
    channel: Word
    method: Word
    captured_at: Moment
    evidence: Annotated[str, Field(min_length=1, max_length=2000)]
    notice_version: Annotated[str, Field(min_length=1, max_length=100)]
    expires_at: Moment | None = None
    explicit: bool | None = None
    bundled_with_service: bool | None = None


class NewConsents(RequestBody):
    items: Annotated[list[NewConsent], Field(min_length=1, max_length=1000)]


class Recorded(BaseModel):
    consent_ids: list[UUID]


class Withdrawal(RequestBody):
    """`channel` left out means every channel."""

    contact_id: Id
    channel: Word | None = None
    reason: Annotated[str, Field(max_length=500)] = ""


class WithdrawalReason(RequestBody):
    reason: Annotated[str, Field(max_length=500)] = ""


class NewSuppression(RequestBody):
    """An e-mail address or a phone number that is never contacted again, whichever record it sits in."""

    identifier: Annotated[str, Field(min_length=3, max_length=254)]
    reason: Annotated[str, Field(min_length=1, max_length=500)]


class ConsentProof(BaseModel):
    """`proofs` are in the order of `entries`; each holds the entry's canonical text, salt, path and checkpoint."""

    consent: ConsentRecord
    entries: list[LedgerEntry]
    proofs: list[ProofReply]


class Done(BaseModel):
    ok: bool = True


@router.get("/consents")
async def consents(
    who: Reader, gateway: GatewayDep, paging: PagingDep, contact_id: Annotated[UUID | None, Query()] = None
) -> Items[ConsentRecord]:
    """Consents on record, the newest first."""
    request = trust.ConsentsRequest(principal=who, contact_id=contact_id, page=paging.page(gateway, who))
    reply = await gateway.bus.call(CONSENTS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/consents", status_code=201)
async def record(body: NewConsents, who: Keeper, gateway: GatewayDep, ids: IdsDep) -> Recorded:
    """Record consents, all or none."""
    if any(c.captured_at.tzinfo is None or (c.expires_at and c.expires_at.tzinfo is None) for c in body.items):
        raise Unprocessable("no_time_zone", "Times name their time zone.", "يجب أن تذكر الأوقات المنطقة الزمنية.")
    made = tuple(
        ConsentRecord(consent_id=ids(f"consent:{at}"), **dict(consent)) for at, consent in enumerate(body.items)
    )
    await gateway.bus.call(RECORD_CONSENTS, trust.RecordConsents(principal=who, tenant_id=who.tenant_id, consents=made))
    return Recorded(consent_ids=[c.consent_id for c in made])


@router.post("/consents/withdraw")
async def withdraw(body: Withdrawal, who: Keeper, gateway: GatewayDep) -> Done:
    """Withdraw a person's consent: effective with the next decision about them."""
    await gateway.bus.call(
        WITHDRAW_CONSENT,
        trust.WithdrawConsent(
            principal=who, tenant_id=who.tenant_id, contact_id=body.contact_id, channel=body.channel, reason=body.reason
        ),
    )
    return Done()


@router.post("/consents/{consent_id}/withdraw")
async def withdraw_one(consent_id: UUID, body: WithdrawalReason, who: Keeper, gateway: GatewayDep) -> Done:
    """Withdraw one consent, and with it every other of that person on its channel."""
    found = await _consent(gateway, who, consent_id)
    await gateway.bus.call(
        WITHDRAW_CONSENT,
        trust.WithdrawConsent(
            principal=who,
            tenant_id=who.tenant_id,
            contact_id=found.contact_id,
            channel=found.channel,
            reason=body.reason,
        ),
    )
    return Done()


async def _consent(gateway: Gateway, who: Principal, consent_id: UUID) -> ConsentRecord:
    """One consent, looked for page by page: trust is asked by person, not by consent. Raises NotFound."""
    cursor: str | None = None
    for _ in range(MOST_PAGES):
        request = trust.ConsentsRequest(principal=who, page=Page(cursor=cursor, limit=200))
        reply = await gateway.bus.call(CONSENTS, request)
        for record in reply.items:
            if record.consent_id == consent_id:
                return record
        if (cursor := reply.next_cursor) is None:
            break
    raise NotFound


@router.get("/consents/{consent_id}/proof")
async def proof(consent_id: UUID, who: Reader, gateway: GatewayDep) -> ConsentProof:
    """The proof of one consent: the record, and every ledger entry about it with its inclusion proof under a signed checkpoint."""
    record = await _consent(gateway, who, consent_id)
    request = trust.LedgerRequest(principal=who, target=f"contact:{record.contact_id}", page=Page(limit=200))
    entries = (await gateway.bus.call(LEDGER, request)).items
    own = [e for e in entries if _about(e, record) and e.seq is not None]
    proofs = [await gateway.bus.call(PROOF, trust.ProofRequest(principal=who, seq=e.seq or 0)) for e in own]
    return ConsentProof(consent=record, entries=own, proofs=proofs)


def _about(entry: LedgerEntry, record: ConsentRecord) -> bool:
    if entry.kind == "consent.recorded":
        return entry.data.get("consent_id") == str(record.consent_id)
    return entry.kind == "consent.withdrawn" and entry.data.get("channel") in (None, record.channel)


@router.get("/suppressions")
async def suppressions(who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[Suppression]:
    """The do-not-contact list. An entry is named by the beginning of a keyed hash: nobody can read whom it is about."""
    request = SuppressionsRequest(principal=who, page=paging.page(gateway, who))
    reply = await gateway.bus.call(SUPPRESSIONS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/suppressions", status_code=201)
async def suppress(body: NewSuppression, who: Importer, gateway: GatewayDep) -> Done:
    """Never contact this address or number again. It is kept as a keyed hash, which survives erasure."""
    await gateway.bus.call(
        SUPPRESS,
        trust.SuppressRequest(
            principal=who, tenant_id=who.tenant_id, identifier=body.identifier.strip(), reason=body.reason
        ),
    )
    return Done()
