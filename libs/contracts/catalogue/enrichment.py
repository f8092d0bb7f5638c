"""The catalogue of enrichment: adapters, what each may fill in, and the lawful bases that may be named."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.claims import claim_keys
from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.catalogue.sources import Handling, sources
from libs.contracts.message import Message, Text

FILE = Path(__file__).with_suffix(".yaml")


class Adapter(Message):
    """How rows of one kind of file become facts."""

    key: str
    source: str
    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    bases: Annotated[tuple[str, ...], Field(min_length=1)]
    licence: bool
    confidence: Annotated[float, Field(gt=0, le=1)]
    match: Annotated[tuple[str, ...], Field(min_length=1)]
    account: dict[str, str] = {}
    contact: dict[str, str] = {}
    lead: dict[str, str] = {}
    claims: dict[str, str] = {}
    told: str = ""

    def fills(self, kind: RecordKind) -> dict[str, str]:
        """Column to field, for one kind of record."""
        return {RecordKind.ACCOUNT: self.account, RecordKind.CONTACT: self.contact, RecordKind.LEAD: self.lead}.get(
            kind, {}
        )

    @model_validator(mode="after")
    def _permitted(self) -> Adapter:
        rule = sources().get(self.source)
        if rule is None or rule.handling is not Handling.ACCEPT:
            raise ValueError(f"{self.key}: its source is none that is taken in")
        for kind in (RecordKind.ACCOUNT, RecordKind.CONTACT, RecordKind.LEAD):
            if not set(self.fills(kind).values()) <= set(records().kinds[kind].fields):
                raise ValueError(f"{self.key}: it fills a field that {kind.value} does not have")
        if not set(self.claims.values()) <= set(claim_keys()):
            raise ValueError(f"{self.key}: a claim that there is not")
        return self


class Enrichment(Message):
    adapters: dict[str, Adapter]
    bases: dict[str, Text]

    @model_validator(mode="after")
    def _said(self) -> Enrichment:
        if not {base for one in self.adapters.values() for base in one.bases} <= set(self.bases):
            raise ValueError("every lawful basis is said in both languages")
        return self


@cache
def enrichment() -> Enrichment:
    """Raises pydantic.ValidationError when the file does not fit."""
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    adapters = {key: {"key": key, **fields} for key, fields in document["adapters"].items()}
    return Enrichment.model_validate({**document, "adapters": adapters})
