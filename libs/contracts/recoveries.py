"""Messages about backups and restore tests, owned by the operating plane. They are of the whole installation."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from libs.contracts.message import Message, Principal

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]


class Recovery(Message):
    """A backup that was written, or one that was restored and proven whole. `digest` is the SHA-256 of the backup's database dump."""

    kind: Literal["backup", "restore_test"]
    digest: str
    at: datetime
    rows: int
    leaves: int
    by: str


class RecoveriesRequest(Message):
    principal: Principal


class RecoveriesReply(Message):
    """The newest first."""

    items: tuple[Recovery, ...]


class ReportRestore(Message):
    """What `dealix restore` found. It counts when it is about a backup of this installation and found all that was in it."""

    principal: Principal
    digest: str
    restored_at: datetime
    rows: Annotated[int, Field(ge=0)]
    leaves: Annotated[int, Field(ge=0)]
