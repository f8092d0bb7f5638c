"""What the partner board shows."""

from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar


@dataclass(frozen=True)
class PartnerCard:
    id: str
    name: str
    type: str
    fit: str
    offer: str
    amount: Decimal | None
    owner: str
    next_step: str
    age: str
    version: int
    next_stage: str = ""
    next_word: str = ""


@dataclass(frozen=True)
class PartnerColumn:
    stage: str
    word: str
    cards: tuple[PartnerCard, ...]


@dataclass(frozen=True)
class PartnersPage:
    """All stages in order. `stages` are (key, word) of all that a partner can be moved to."""

    template: ClassVar[str] = "partners_pipeline.html"
    columns: tuple[PartnerColumn, ...]
    stages: tuple[tuple[str, str], ...]
    may_edit: bool = False
    error: str = ""
