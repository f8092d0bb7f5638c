"""What webhooks may subscribe to: families of ledger entries, and whether an entry is of a kind that was asked for."""

from __future__ import annotations

from collections.abc import Collection
from functools import cache
from pathlib import Path

import yaml

from libs.contracts.message import Message

FILE = Path(__file__).with_suffix(".yaml")
ALL = "*"


class Family(Message):
    name: str
    en: str
    ar: str


@cache
def families() -> dict[str, Family]:
    """All families by name.

    Raises pydantic.ValidationError when the catalogue is wrong.
    """
    document = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return {name: Family(name=name, **about) for name, about in document.items()}


def _in(kind: str, family: str) -> bool:
    return kind == family or kind.startswith((f"{family}.", f"{family}_"))


def known(pattern: str) -> bool:
    """Whether `*`, `family.*` or a kind's name leads to a family that exists."""
    return pattern == ALL or any(_in(pattern.removesuffix(".*"), family) for family in families())


def wanted(kind: str, patterns: Collection[str]) -> bool:
    """Whether an entry's kind is among those asked for."""
    return any(
        pattern in (ALL, kind) or (pattern.endswith(".*") and _in(kind, pattern.removesuffix(".*")))
        for pattern in patterns
    )
