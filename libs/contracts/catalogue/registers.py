"""The registers a controller keeps, as data: which fields an entry has, which must be filled, and which clock runs."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, Literal
from uuid import UUID

import yaml

from libs.contracts.catalogue.sources import Collection, sources
from libs.contracts.message import Message

FILES = tuple(
    Path(__file__).with_name(name) for name in ("registers.yaml", "registers_privacy.yaml", "registers_security.yaml")
)
_AMOUNT = re.compile(r"[0-9]{1,12}\.[0-9]{2}")
SLIP = timedelta(days=1)
LONGEST = 20_000
"""Characters of one text."""


class RegisterField(Message):
    type: Literal["text", "long", "date", "moment", "number", "amount", "yes_no", "choice", "list", "id"]
    en: str
    ar: str
    options: tuple[tuple[str, str, str], ...] = ()


class RegisterClock(Message):
    """`hours` from the moment in field `start` until field `end` must be filled, where all of `when` are yes."""

    start: str
    end: str
    hours: int
    when: tuple[str, ...]


class RegisterKeep(Message):
    """How long an entry stays: `years` from the day in field `after`; without that day, on and on."""

    after: str
    years: int


class Register(Message):
    key: str
    en: str
    ar: str
    source: str
    title: str
    required: tuple[str, ...]
    fields: dict[str, RegisterField]
    clock: RegisterClock | None = None
    keep: RegisterKeep | None = None

    def problem(self, values: dict[str, Any]) -> tuple[str, str] | None:
        """The first thing that is wrong with an entry, in English and Arabic; None when it is fit."""
        for name in values:
            if name not in self.fields:
                return f"This register has no field {name}.", f"لا يوجد في هذا السجل حقل {name}."
        for name in self.required:
            if values.get(name) in (None, "", []):
                return f"{self.fields[name].en} is missing.", f"حقل «{self.fields[name].ar}» مطلوب."
        for name, value in values.items():
            field = self.fields[name]
            if value is not None and not _fits(field, value):
                return f"{field.en} is not of the right form ({field.type}).", f"صيغة حقل «{field.ar}» غير صحيحة."
        return None

    def kept(self, values: dict[str, Any], created_at: datetime, now: datetime) -> bool:
        """Whether an entry may not be taken off yet. One of less than a day was a slip."""
        if self.keep is None or now - created_at < SLIP:
            return False
        ended = values.get(self.keep.after)
        return not ended or (now.date() - date.fromisoformat(ended)).days < 365.25 * self.keep.years

    def due_at(self, values: dict[str, Any]) -> datetime | None:
        """When this entry's clock ends; None where none runs for it."""
        if self.clock is None or not all(values.get(name) is True for name in self.clock.when):
            return None
        return datetime.fromisoformat(values[self.clock.start]).astimezone(UTC) + timedelta(hours=self.clock.hours)

    def met_at(self, values: dict[str, Any]) -> datetime | None:
        """When the clock's duty was done; None while it is not."""
        done = values.get(self.clock.end) if self.clock is not None else None
        return datetime.fromisoformat(done) if done else None


def _fits(field: RegisterField, value: Any) -> bool:
    if field.type in ("text", "long"):
        return isinstance(value, str) and len(value) <= (LONGEST if field.type == "long" else 500)
    if field.type == "choice":
        return value in {key for key, _, _ in field.options}
    if field.type == "yes_no":
        return isinstance(value, bool)
    if field.type == "number":
        return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9
    if field.type == "amount":
        return isinstance(value, str) and _AMOUNT.fullmatch(value) is not None
    if field.type == "id":
        return _id(value)
    if field.type == "list":
        return (
            isinstance(value, list)
            and len(value) <= 100
            and all(isinstance(v, str) and 0 < len(v) <= 500 for v in value)
        )
    return _time(field.type, value)


def _id(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def _time(kind: str, value: Any) -> bool:
    if not isinstance(value, str):
        return False
    try:
        if kind == "date":
            date.fromisoformat(value)
            return True
        return datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


@cache
def registers() -> dict[str, Register]:
    """All registers by key.

    Raises pydantic.ValidationError or ValueError when the catalogue is wrong.
    """
    out: dict[str, Register] = {}
    for file in FILES:
        for key, body in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            if key in out:
                raise ValueError(f"there are two registers {key}")
            out[key] = _read(key, body)
    return out


def _read(key: str, body: dict[str, Any]) -> Register:
    clock = body.pop("clock", None)
    if clock is not None:
        body["clock"] = {"start": clock["from"], "end": clock["until"], "hours": clock["hours"], "when": clock["when"]}
    for field in body["fields"].values():
        if field.get("options") == "sources":
            field["options"] = [[s.key, s.en, s.ar] for s in sources().values() if s.collection is Collection.INDIRECT]
    made = Register.model_validate({"key": key, **body})
    named = {
        made.title,
        *made.required,
        *(clock["when"] if clock is not None else ()),
        *([made.keep.after] if made.keep else []),
    }
    if named - made.fields.keys():
        raise ValueError(f"register {key} names fields that it does not have")
    return made
