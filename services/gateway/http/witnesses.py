"""Witnesses of the log, and what people do with an evidence pack once it is there."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field

from libs.contracts import ledger
from libs.contracts.ledger import Cosignature
from libs.contracts.message import Principal
from libs.contracts.subjects import COSIGN, COSIGNATURES, REVIEW_EVIDENCE, SEAL_EVIDENCE
from libs.contracts.trust import EvidenceReply
from services.gateway.http.bodies import Items, Note, PagingDep, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES
from services.gateway.http.proof import Log

router = APIRouter(prefix="/api/v1", tags=["proof"], responses=RESPONSES)

Reader = Annotated[Principal, require("evidence")]


class NewCosignature(RequestBody):
    """A checkpoint with the witness's line, and the witness's verifier key `name+keyid+key`."""

    note: Annotated[str, Field(max_length=20_000)]
    witness: Annotated[str, Field(max_length=500)]


class Step(RequestBody):
    note: Note = ""


@router.post("/proof-ledger/cosignatures", status_code=201)
async def cosign(body: NewCosignature, who: Reader, gateway: GatewayDep) -> Cosignature:
    """Hand in a witness's cosignature (C2SP tlog-cosignature) of a checkpoint of your log, or of the platform's: its first line says which."""
    return await gateway.bus.call(COSIGN, ledger.CosignRequest(principal=who, note=body.note, witness=body.witness))


@router.get("/proof-ledger/cosignatures")
async def cosignatures(who: Reader, gateway: GatewayDep, paging: PagingDep, log: Log = "own") -> Items[Cosignature]:
    """What witnesses have cosigned, the largest tree first. Everybody sees who cosigned the platform's log."""
    request = ledger.CosignaturesRequest(principal=who, log=log, page=paging.page(gateway, who))
    reply = await gateway.bus.call(COSIGNATURES, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/evidence-packs/{pack_id}/review")
async def review(pack_id: UUID, body: Step, who: Reader, gateway: GatewayDep) -> EvidenceReply:
    """Say that somebody other than its maker has read the pack."""
    return await gateway.bus.call(REVIEW_EVIDENCE, ledger.PackStep(principal=who, pack_id=pack_id, note=body.note))


@router.post("/evidence-packs/{pack_id}/seal")
async def seal(pack_id: UUID, body: Step, who: Reader, gateway: GatewayDep) -> EvidenceReply:
    """End the pack's way: what is sealed stays as it is, and the ledger says by whom and over which bytes."""
    return await gateway.bus.call(SEAL_EVIDENCE, ledger.PackStep(principal=who, pack_id=pack_id, note=body.note))
