"""Proof: the ledger, its checkpoints and proofs, evidence packs, the audit trail."""

from __future__ import annotations

import base64
import binascii
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from fastapi.responses import StreamingResponse
from pydantic import Field

from libs.contracts import trust
from libs.contracts.message import Page, Principal
from libs.contracts.subjects import (
    CHECKPOINT,
    CONSISTENCY,
    EVIDENCE,
    EVIDENCE_EXPORT,
    EVIDENCE_READ,
    LEDGER,
    PROOF,
)
from libs.contracts.trust import CheckpointReply, ConsistencyReply, EvidenceReply, LedgerEntry, LogName, ProofReply
from services.gateway.errors import Unavailable, Unprocessable
from services.gateway.http.bodies import Items, Paging, PagingDep, items
from services.gateway.http.bodies import Request as Body
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["proof"], responses=RESPONSES)

Reader = Annotated[Principal, require("evidence")]
Filter = Annotated[str | None, Query(max_length=200)]
Leaf = Annotated[int, Path(ge=0, le=2**53)]
Size = Annotated[int, Query(ge=0, le=2**53)]
DEMO_ITEMS = 20
Log = Annotated[LogName, Query(description="your own log, or the platform's, which holds every tenant's checkpoints")]


class PackOrder(Body):
    """`scope` is `action:ID`, `flow:ID`, `deal:ID`, `control:ID` or `period:2026-11-01..2026-11-30`."""

    scope: Annotated[str, Field(min_length=3, max_length=200)]


async def _entries(
    gateway: Gateway,
    who: Principal,
    paging: Paging,
    kind: str | None,
    actor: str | None,
    target: str | None,
    trace_id: str | None,
) -> Items[LedgerEntry]:
    request = trust.LedgerRequest(
        principal=who, kind=kind, actor=actor, target=target, trace_id=trace_id, page=paging.page(gateway, who)
    )
    reply = await gateway.bus.call(LEDGER, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/proof-ledger")
async def ledger(
    who: Reader, gateway: GatewayDep, paging: PagingDep,
    kind: Filter = None, actor: Filter = None, target: Filter = None, trace_id: Filter = None,
) -> Items[LedgerEntry]:  # fmt: skip
    """Entries of the ledger, the newest first. One without `seq` is not in the tree yet."""
    return await _entries(gateway, who, paging, kind, actor, target, trace_id)


@router.get("/proof-ledger/demo")
async def ledger_demo(gateway: GatewayDep) -> Items[LedgerEntry]:
    """The newest entries of the example tenant's ledger: what happened and its hash. The data behind them is left out."""
    who = gateway.demo_principal()
    reply = await gateway.bus.call(LEDGER, trust.LedgerRequest(principal=who, page=Page(limit=DEMO_ITEMS)))
    return Items(items=[entry.evolve(data={}) for entry in reply.items])


@router.get("/proof-ledger/checkpoint")
async def checkpoint(who: Reader, gateway: GatewayDep, log: Log = "own") -> CheckpointReply:
    """The newest signed checkpoint, as a C2SP signed note: of your log, or of the platform's."""
    return await gateway.bus.call(CHECKPOINT, trust.CheckpointRequest(principal=who, log=log))


@router.get("/proof-ledger/consistency")
async def consistency(
    who: Reader, gateway: GatewayDep, first: Annotated[int, Query(alias="from", ge=0, le=2**53)], to: Size, log: Log = "own"
) -> ConsistencyReply:  # fmt: skip
    """That the log of size `to` only appends to the log of size `from` (RFC 9162 section 2.1.4)."""
    if first > to:
        raise Unprocessable("sizes_reversed", "`from` is larger than `to`.", "قيمة from أكبر من to.")
    return await gateway.bus.call(CONSISTENCY, trust.ConsistencyRequest(principal=who, first=first, second=to, log=log))


@router.get("/proof-ledger/entries/{n}/proof")
async def proof(n: Leaf, who: Reader, gateway: GatewayDep) -> ProofReply:
    """That entry `n` is in the log (RFC 9162 section 2.1.3), who has cosigned its checkpoint, and where that is in the platform's log."""
    return await gateway.bus.call(PROOF, trust.ProofRequest(principal=who, seq=n))


@router.post("/evidence-packs", status_code=202)
async def order_pack(body: PackOrder, who: Reader, gateway: GatewayDep) -> EvidenceReply:
    """Assemble an evidence pack that can be verified offline."""
    found = await gateway.bus.call(EVIDENCE_EXPORT, trust.EvidenceRequest(principal=who, scope=body.scope))
    gateway.pulse.nudge(who.tenant_id, "ledger")
    return found


@router.get("/evidence-packs/{pack_id}")
async def pack(pack_id: UUID, who: Reader, gateway: GatewayDep) -> EvidenceReply:
    """Whether a pack is ready, and its digest."""
    return await gateway.bus.call(EVIDENCE, trust.EvidenceGet(principal=who, pack_id=pack_id))


@router.get(
    "/evidence-packs/{pack_id}/download",
    response_class=StreamingResponse,
    responses={200: {"content": {"application/zip": {"schema": {"type": "string", "format": "binary"}}}}},
)
async def download(pack_id: UUID, who: Reader, gateway: GatewayDep) -> StreamingResponse:
    """The pack itself, a zip file."""
    found = await gateway.bus.call(EVIDENCE, trust.EvidenceGet(principal=who, pack_id=pack_id))
    first = await _chunk(gateway, who, pack_id, 0)
    headers = {
        "Content-Disposition": f'attachment; filename="evidence-{pack_id}.zip"',
        "Content-Length": str(found.bytes),
        "X-Content-SHA256": found.sha256,
    }
    return StreamingResponse(_pieces(gateway, who, pack_id, first), media_type="application/zip", headers=headers)


async def _chunk(gateway: Gateway, who: Principal, pack_id: UUID, offset: int) -> trust.EvidenceChunk:
    return await gateway.bus.call(EVIDENCE_READ, trust.EvidenceRead(principal=who, pack_id=pack_id, offset=offset))


async def _pieces(gateway: Gateway, who: Principal, pack_id: UUID, first: trust.EvidenceChunk) -> AsyncIterator[bytes]:
    chunk = first
    while True:
        try:
            yield base64.b64decode(chunk.data, validate=True)
        except binascii.Error as error:
            raise Unavailable from error
        if chunk.next_offset is None:
            return
        chunk = await _chunk(gateway, who, pack_id, chunk.next_offset)
