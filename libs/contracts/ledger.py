"""Messages about the ledger, owned by the trust plane, beside those of `trust.py`: witnesses, packs' later states, exports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Page, Principal, TenantId
from libs.contracts.trust import LogName


class CosignRequest(Message):
    """`note` is a checkpoint with a witness's line (C2SP tlog-cosignature), of the tenant's log or, as its first line says, of the
    platform's; `witness` its verifier key, `name+keyid+key`."""

    principal: Principal
    note: Annotated[str, Field(max_length=20_000)]
    witness: Annotated[str, Field(max_length=500)]


class Cosignature(Message):
    """That a witness has seen the tree of `size` leaves. `witness` is its verifier key; `root` is hex."""

    size: int
    root: str
    name: str
    witness: str
    line: str
    signed_at: datetime


class CosignaturesRequest(Message):
    principal: Principal
    page: Page = Page()
    log: LogName = "own"


class CosignaturesReply(Message):
    items: tuple[Cosignature, ...]
    next_cursor: str | None = None


class PackStep(Message):
    """A person's step on an evidence pack: a review, or the seal that ends it."""

    principal: Principal
    pack_id: UUID
    note: Annotated[str, Field(max_length=2000)] = ""


class EvidenceAssembled(Message):
    """A pack is there to be fetched: what it covers, how large it is, who asked for it."""

    tenant_id: TenantId
    pack_id: UUID
    scope: str
    bytes: int
    sha256: str
    created_by: str
    at: datetime
