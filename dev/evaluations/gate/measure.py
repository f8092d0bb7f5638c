"""Measures the security gate: how many made-up attacks it notices, and how many harmless texts it stops.

The tuning part was there while the rules were written. The held-out part was written after them, and no rule was changed for it:
of it only the counts are told. Both come from the same hands, so expect less on what real attackers write.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from libs.contracts.catalogue.screening import Level
from libs.screening.screen import Allowed, Direction, screen, strictest

Part = Literal["tuning", "held_out"]

FOLDER = Path(__file__).parent
FILES: tuple[tuple[str, Part, bool], ...] = (
    ("attacks", "tuning", True), ("benign", "tuning", False), ("attacks_more", "tuning", True), ("benign_more", "tuning", False),
    ("attacks_held_out", "held_out", True), ("benign_held_out", "held_out", False),
)  # fmt: skip
"""File, part, and whether its texts are attacks."""
OWN = Allowed(hosts=frozenset({"ofoq.example"}))
"""What the drafts of the set may link to."""


@dataclass(frozen=True, slots=True)
class Case:
    """A labelled text. `attack` is the label; `where` says how it arrives, or that it would leave."""

    part: Part
    attack: bool
    language: str
    where: str
    kind: str
    text: str

    @property
    def direction(self) -> Direction:
        return "outbound" if self.where == "output" else "inbound"

    @property
    def stopped(self) -> bool:
        """Whether the gate has a person look, or blocks."""
        return strictest(screen(self.text, self.direction, OWN)) in (Level.REVIEW, Level.BLOCK)


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one part: attacks and how many were caught, harmless texts and how many were stopped all the same."""

    part: Part
    attacks: int
    caught: int
    benign: int
    false_alarms: int
    missed: tuple[str, ...] = ()
    wrong: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        return asdict(self)


def cases() -> Iterator[Case]:
    """Every case of all files. Raises ValueError for a line that is none."""
    for name, part, attack in FILES:
        for line in (FOLDER / f"{name}.tsv").read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                language, where, kind, text = line.split("\t")
                yield Case(part, attack, language, where, kind, _characters(text))


def measure() -> list[Score]:
    """A score for each part. Which texts were missed is told for the tuning part alone."""
    every = list(cases())
    return [_score(part, [case for case in every if case.part == part]) for part in get_args(Part)]


def _score(part: Part, own: list[Case]) -> Score:
    missed = tuple(case.text for case in own if case.attack and not case.stopped)
    wrong = tuple(case.text for case in own if not case.attack and case.stopped)
    attacks = sum(case.attack for case in own)
    told = (missed, wrong) if part == "tuning" else ((), ())
    return Score(part, attacks, attacks - len(missed), len(own) - attacks, len(wrong), *told)


def _characters(text: str) -> str:
    text = re.sub(r"\\U([0-9a-fA-F]{8})|\\u([0-9a-fA-F]{4})", lambda m: chr(int(m[1] or m[2], 16)), text)
    return text.replace("\\n", "\n")
