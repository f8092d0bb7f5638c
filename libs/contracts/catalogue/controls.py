"""The controls of the compliance matrix, as versioned data: `controls.csv`, one row a control."""

from __future__ import annotations

import csv
import hashlib
from datetime import timedelta
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

from pydantic import Field

from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".csv")
EVERY = {
    "5 minutes": timedelta(minutes=5), "hourly": timedelta(hours=1), "daily": timedelta(days=1), "monthly": timedelta(days=30),
    "yearly": timedelta(days=365),
}  # fmt: skip
MOST = timedelta(hours=1)
"""How often a control is read that follows events (`per send`, `per decision`): decisions read their own facts besides."""


class ControlKind(StrEnum):
    """What answers for a control: a look at records, or a document."""

    AUTOMATIC = "automatic"
    ATTESTED = "attested"


class Confidence(StrEnum):
    """How sure the catalogue is of its source."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class ControlMode(StrEnum):
    """How a control holds: looked at on schedule, also at decision time, or by evidence that a person hands in."""

    SWEEP = "sweep"
    GATE = "gate"
    ATTEST = "attest"


class Severity(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"


DUE = {Severity.CRITICAL: timedelta(days=1), Severity.HIGH: timedelta(days=7), Severity.MEDIUM: timedelta(days=30)}
"""How long whoever owns a failure has to mend it (house limits)."""


class Control(Message):
    """One control. `binding` says what makes it a duty; `source` names the article."""

    control_id: Annotated[str, Field(min_length=1)]
    authority: Annotated[str, Field(min_length=1)]
    title_en: Annotated[str, Field(min_length=1)]
    title_ar: Annotated[str, Field(min_length=1)]
    requirement: str
    kind: ControlKind
    data_read: str
    pass_condition: str
    severity: Severity
    mode: ControlMode
    binding: str
    source: str
    confidence: Confidence
    cadence: str

    @property
    def every(self) -> timedelta:
        """How often it is read."""
        return EVERY.get(self.cadence, MOST)

    @property
    def stale_after(self) -> timedelta:
        """Older than this, a reading says nothing any more."""
        return 2 * self.every

    @property
    def binds(self) -> bool:
        """Whether law or regulation makes it a duty of everybody, so that nobody may set it aside as not applicable."""
        return self.binding in ("law", "regulation")


@cache
def controls() -> dict[str, Control]:
    """All controls by id, in the file's order.

    Raises pydantic.ValidationError or ValueError when the catalogue is wrong.
    """
    with FILE.open(encoding="utf-8", newline="") as file:
        rows = [Control.model_validate(row) for row in csv.DictReader(file)]
    found = {row.control_id: row for row in rows}
    if len(found) != len(rows):
        raise ValueError("two controls have the same id")
    for row in rows:
        if (row.mode is ControlMode.ATTEST) != (row.kind is ControlKind.ATTESTED):
            raise ValueError(f"{row.control_id}: what is attested has mode attest, and nothing else has")
        if row.cadence not in EVERY and not row.cadence.startswith("per "):
            raise ValueError(f"{row.control_id}: {row.cadence} is no cadence")
    return found


@cache
def version() -> str:
    """The catalogue's version: the first 12 hex digits of the file's SHA-256. Each reading says under which one it was made."""
    return hashlib.sha256(FILE.read_bytes()).hexdigest()[:12]
