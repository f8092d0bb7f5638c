"""What each connector needs to act for real: its fields, and whether given values fit them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import Field

from libs.contracts.errors import Invalid
from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")
Value = str | int


class CredentialInvalid(Invalid):
    """Names the field and never its value."""


class CredentialField(Message):
    """One field of a credential; `choices` of a choice, `least` and `most` of a number."""

    name: str
    kind: Literal["text", "secret", "number", "choice"]
    en: str
    ar: str
    optional: bool = False
    pattern: str | None = None
    choices: tuple[str, ...] = ()
    least: int = Field(default=0)
    most: int = Field(default=0)

    def fits(self, value: object) -> bool:
        if self.kind == "number":
            return isinstance(value, int) and not isinstance(value, bool) and self.least <= value <= self.most
        if not isinstance(value, str):
            return False
        if self.kind == "choice":
            return value in self.choices
        return re.fullmatch(self.pattern or ".+", value) is not None


@cache
def credential_fields() -> dict[str, tuple[CredentialField, ...]]:
    """Fields by connector. A connector that is not here can't be given a credential yet.

    Raises pydantic.ValidationError when the catalogue is wrong.
    """
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {
        key: tuple(CredentialField.model_validate({"name": name, **about}) for name, about in fields.items())
        for key, fields in document["connectors"].items()
    }


def read_credential(connector: str, values: Mapping[str, object]) -> dict[str, Value]:
    """The values, when they are exactly what the connector needs.

    Raises CredentialInvalid.
    """
    fields = {field.name: field for field in credential_fields().get(connector, ())}
    if not fields:
        raise CredentialInvalid(
            "no_credential_needed", "This connector takes no credential yet.", "لا يقبل هذا الموصل بيانات اعتماد بعد."
        )
    if unknown := sorted(values.keys() - fields.keys()):
        name = unknown[0] if re.fullmatch(r"[a-z_]{1,40}", unknown[0]) else "?"
        raise CredentialInvalid("credential_field", f"There is no field {name}.", f"لا يوجد حقل باسم {name}.")
    out: dict[str, Value] = {}
    for name, field in fields.items():
        value = values.get(name)
        if value is None and field.optional:
            continue
        if not field.fits(value):
            raise CredentialInvalid(
                "credential_field",
                f"{field.en} ({name}) is missing or can't be so.",
                f"{field.ar} ({name}): القيمة ناقصة أو غير صالحة.",
            )
        assert isinstance(value, str | int)
        out[name] = value
    return out
