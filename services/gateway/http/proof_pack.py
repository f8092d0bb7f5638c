"""The proof pack of a deal, or of the whole company: what was done, protected and waits, what it may bring, what comes next."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import ListRecords
from libs.contracts.message import Page, Principal
from libs.contracts.proof_pack import ProofPack, ProofPackRequest, WorkSection
from libs.contracts.subjects import PROOF_PACK, RECORDS
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1/proof-pack", tags=["proof"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]
Deal = Annotated[UUID | None, Query(description="the deal; the whole company over the last 30 days when left out")]


@router.get("")
async def proof_pack(who: Reader, gateway: GatewayDep, deal_id: Deal = None) -> ProofPack:
    """Six sections, computed now from the ledger and the records. Revenue impact is an estimate with its basis, and labelled one; the weights of
    work are no part of it."""
    return await gateway.bus.call(PROOF_PACK, ProofPackRequest(principal=who, deal_id=deal_id))


@router.get("/demo")
async def proof_pack_demo(gateway: GatewayDep) -> ProofPack:
    """The pack of the example tenant's newest deal, or of the whole example tenant where it has none. Names and titles are left out."""
    who = gateway.demo_principal()
    asked = ListRecords(principal=who, kind=RecordKind.DEAL, page=Page(limit=1))
    deals = (await gateway.bus.call(RECORDS, asked)).items
    found = await gateway.bus.call(PROOF_PACK, ProofPackRequest(principal=who, deal_id=deals[0].id if deals else None))
    nobody: ProofPack = found.evolve(
        deal_title="", account_name="", created=_nobodys(found.created), protected=_nobodys(found.protected)
    )
    return nobody


def _nobodys(section: WorkSection) -> WorkSection:
    """The section without who did the work."""
    items = tuple(one.evolve(proofs=tuple(proof.evolve(actor="") for proof in one.proofs)) for one in section.items)
    out: WorkSection = section.evolve(items=items)
    return out
