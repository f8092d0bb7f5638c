"""What a change of records means to others: a person answered, a deal moved. Told in the transaction that keeps the change."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import Record
from libs.contracts.inbound import DealMoved, ReplyReceived
from libs.contracts.subjects import DEAL_MOVED, REPLY_RECEIVED
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime

ANSWERS = frozenset({"email", "whatsapp", "call", "meeting", "visit"})
"""Activities that are an answer when they came from the other side; a note is our own."""


async def tell_reply(work: BatchWork, runtime: Runtime, record: Record) -> None:
    """Tell of an activity that came from the other side, in the transaction that keeps it."""
    values = record.values
    if record.kind is not RecordKind.ACTIVITY or values.get("direction") != "inbound" or values["type"] not in ANSWERS:
        return
    tenant = work.tenants[0]
    contact = values.get("contact_id") or await _contact_of(work, tenant, values)
    if contact:
        told = ReplyReceived(
            tenant_id=tenant, contact_id=UUID(str(contact)), channel=values["type"], activity_id=record.id, at=runtime.now()
        )  # fmt: skip
        work.emit(REPLY_RECEIVED, told)


async def _contact_of(work: BatchWork, tenant: UUID, values: Mapping[str, Any]) -> UUID | None:
    """Whom an activity about a lead or a deal is with."""
    for kind in ("lead", "deal"):
        if values.get(f"{kind}_id"):
            found: UUID | None = await work.connection.fetchval(
                f"select contact_id from data.{kind}s where tenant_id = $1 and {kind}_id = $2",
                tenant, UUID(str(values[f"{kind}_id"])),
            )  # fmt: skip
            if found is not None:
                return found
    return None


def tell_moved(work: BatchWork, runtime: Runtime, deal: Record) -> None:
    contact = deal.values.get("contact_id")
    told = DealMoved(
        tenant_id=work.tenants[0], deal_id=deal.id, contact_id=UUID(str(contact)) if contact else None,
        stage=str(deal.values["stage"]), at=runtime.now(),
    )  # fmt: skip
    work.emit(DEAL_MOVED, told)
