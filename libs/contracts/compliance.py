"""Messages of the compliance matrix, owned by the trust plane: what each control's newest reading says, and evidence handed in."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.catalogue.controls import Control
from libs.contracts.message import Message, Principal, Text


class ControlResult(StrEnum):
    """`unknown`: nothing was there to look at, it could not be looked at, or the last look is too old. Never read as a pass."""

    PASS = "pass"
    FAIL = "fail"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "n/a"


class GateEffect(StrEnum):
    """What a gate control's failure does now: live effects wait, or would if the tenant were live."""

    BLOCKS_LIVE = "blocks_live"
    WOULD_BLOCK = "would_block"
    NOTHING = "nothing"


class Reading(Message):
    """One look at a control: of `rows` looked at, `failing` failed and `unclear` could not be judged. `sample` names failing rows by id."""

    control_id: str
    result: ControlResult
    checked_at: datetime
    rows: int
    failing: int
    unclear: int = 0
    sample: tuple[str, ...] = ()
    why: Text
    catalogue_version: str


class ControlStanding(Message):
    """A control as it stands. `reading` is the newest one, which `result` may not follow when it is stale."""

    control: Control
    result: ControlResult
    why: Text
    reading: Reading | None = None
    stale: bool = False
    gate: GateEffect = GateEffect.NOTHING
    owner: str = ""
    failing_since: datetime | None = None
    due_at: datetime | None = None
    overdue: bool = False


class Attestation(Message):
    """Evidence that somebody handed in, until `valid_until`. Without a file it only says that a control does not apply."""

    attestation_id: UUID
    control_id: str
    applies: bool
    statement: str
    file_name: str = ""
    media_type: str = ""
    sha256: str = ""
    bytes: int = 0
    valid_until: date
    attested_by: str
    attested_at: datetime


class MatrixRequest(Message):
    principal: Principal


class MatrixReply(Message):
    """Every control. `not_advice` is said wherever the matrix is shown."""

    items: tuple[ControlStanding, ...]
    counts: dict[str, int]
    catalogue_version: str
    not_advice: Text


class RunCompliance(Message):
    """Look at controls now: all automatic ones, or those named."""

    principal: Principal
    control_ids: Annotated[tuple[str, ...], Field(max_length=200)] = ()


class ControlGet(Message):
    principal: Principal
    control_id: Annotated[str, Field(max_length=40)]


class ControlDetail(Message):
    """A control with its history, the newest reading first, and the evidence handed in for it."""

    state: ControlStanding
    history: tuple[Reading, ...]
    attestations: tuple[Attestation, ...]
    not_advice: Text


class Attest(Message):
    """Hand in evidence for a control (`object_name` names the file in the object store), or say that it does not apply."""

    principal: Principal
    attestation_id: UUID
    control_id: Annotated[str, Field(max_length=40)]
    applies: bool = True
    statement: Annotated[str, Field(min_length=10, max_length=2000)]
    object_name: str = ""
    file_name: Annotated[str, Field(max_length=255)] = ""
    valid_until: date


class AssignControl(Message):
    """Who mends a failing control, and until when."""

    principal: Principal
    control_id: Annotated[str, Field(max_length=40)]
    owner: Annotated[str, Field(min_length=1, max_length=100)]
    due_at: datetime


NOT_ADVICE = Text(
    en="This is a technical reading of your own records. It is not legal advice.",
    ar="هذه قراءة تقنية لسجلاتكم، وليست استشارة نظامية.",
)
