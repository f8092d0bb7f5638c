"""The ledger as pages that verify themselves, and the sandbox mailbox."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts import execution, ledger, trust
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.message import Page
from libs.contracts.subjects import (
    CHECKPOINT,
    COSIGNATURES,
    KEYS,
    LEDGER,
    PROOF,
    SANDBOX,
)
from services.gateway.console import pages, present_ledger, views
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import require

router = APIRouter()

Text = Annotated[str, Form(max_length=2000)]
Reading = require("read", reading=True)


@router.get(PATHS["evidence"], dependencies=[Reading])
async def evidence(
    desk: DeskDep, q: Annotated[str, Query(max_length=200)] = "", cursor: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    text = q.strip()
    where: dict[str, str] = {"target": text} if ":" in text else {"actor": text} if text else {}
    request = trust.LedgerRequest(principal=desk.who, page=Page(limit=50, cursor=cursor or None), **where)
    reply = await desk.call(LEDGER, request)
    point = await desk.call(CHECKPOINT, trust.CheckpointRequest(principal=desk.who))
    witnesses = await _witnesses(desk, point.size)
    names = await desk.called(entry.actor for entry in reply.items)
    rows = tuple(
        row for row in (present_ledger.ledger_row(desk.lang, entry, names) for entry in reply.items) if row is not None
    )
    page = pages.EvidencePage(
        rows=rows,
        checkpoint=_with(present_ledger.checkpoint(point), witnesses),
        query=q,
        empty="no_match" if text else "none_yet",
        next_href=url("evidence", q=q, cursor=reply.next_cursor) if reply.next_cursor else "",
    )
    return await desk.show(page)


@router.get(PATHS["evidence_entry"], dependencies=[Reading])
async def evidence_entry(id: int, desk: DeskDep) -> Response:
    """One leaf with all that the browser needs to verify it by itself."""
    proof = await desk.call(PROOF, trust.ProofRequest(principal=desk.who, seq=id))
    point = await desk.call(CHECKPOINT, trust.CheckpointRequest(principal=desk.who))
    keys = await desk.call(KEYS, trust.KeysRequest())
    checkpoint = present_ledger.checkpoint(point.evolve(note=proof.checkpoint, **_parsed(proof.checkpoint)))
    if checkpoint is None:
        raise NotFound
    entry = present_ledger.entry_of(proof.entry)
    around = (
        await desk.call(LEDGER, trust.LedgerRequest(principal=desk.who, target=entry.target, page=Page(limit=50)))
        if entry.target
        else None
    )
    told = around.items if around else ()
    names = await desk.called((entry.actor, *(one.actor for one in told)))
    page = pages.EvidenceEntryPage(
        index=proof.seq,
        title=present_ledger.entry_title(desk.lang, entry.kind),
        at=entry.at or desk.gateway.now(),
        actor=names[entry.actor],
        entry=proof.entry,
        salt=proof.salt,
        leaf_hash=proof.leaf_hash,
        path=proof.path,
        checkpoint=checkpoint,
        keys={"keys": [key for key in keys.keys if key.get("dealix_use") == "checkpoint"]},
        witnesses=tuple(one.model_dump(mode="json") for one in proof.cosignatures),
        platform=proof.platform.model_dump(mode="json") if proof.platform is not None else None,
        timeline=present_ledger.timeline(desk.lang, told, proof.seq, names),
        facts=present_ledger.entry_facts(desk.lang, entry),
    )
    return await desk.show(page)


async def _witnesses(desk: Desk, size: int) -> tuple[str, ...]:
    """Who has cosigned the tree of this size. A reader who may not know sees none."""
    try:
        reply: ledger.CosignaturesReply = await desk.call(
            COSIGNATURES, ledger.CosignaturesRequest(principal=desk.who, page=Page(limit=20))
        )
    except DealixError:
        return ()
    return tuple(one.name for one in reply.items if one.size == size)


def _with(point: views.Checkpoint | None, names: tuple[str, ...]) -> views.Checkpoint | None:
    return replace(point, cosignatures=names) if point is not None else None


def _parsed(note: str) -> dict[str, Any]:
    """Origin, size and root of a signed note, as its first three lines say them."""
    origin, size, root = note.split("\n")[:3]
    return {"origin": origin, "size": int(size), "root": base64.b64decode(root).hex()}


@router.get(PATHS["sandbox_mailbox"], dependencies=[Reading])
async def sandbox_mailbox(desk: DeskDep) -> Response:
    reply = await desk.call(SANDBOX, execution.SandboxRequest(principal=desk.who, page=Page(limit=50)))
    return await desk.show(
        pages.SandboxMailboxPage(tuple(present_ledger.sandbox_message(desk.lang, message) for message in reply.items))
    )
