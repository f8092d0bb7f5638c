"""Which source a cell names, and what that source alone permits."""

from __future__ import annotations

from functools import cache, lru_cache

from libs.contracts.catalogue.sources import UNKNOWN, Handling, SourceRule, sources
from services.data.importing.domain.text import fold

OUTCOMES = {Handling.ACCEPT: "created", Handling.REVIEW: "needs_review", Handling.BLOCK: "blocked"}
"""What becomes of a new lead by its source alone. A refused source never gets so far."""
STRICTEST = ("blocked", "needs_review", "created")
"""What may become of a lead: of several the first that stands here counts."""


@cache
def _names() -> dict[str, SourceRule]:
    table: dict[str, SourceRule] = {}
    for rule in sources().values():
        for name in (rule.key, rule.en, rule.ar, *rule.names):
            table.setdefault(fold(name), rule)
    return table


@cache
def _fragments() -> tuple[tuple[str, SourceRule], ...]:
    return tuple((f" {fold(word)} ", rule) for rule in sources().values() for word in rule.contains)


@lru_cache(maxsize=4096)
def resolve_source(text: str) -> SourceRule:
    """The rule for what a file or row calls its source.

    Words that name a stricter source count wherever they stand ("event list, purchased" is purchased). What no rule knows is `unknown`,
    which a person has to look at.
    """
    folded = fold(text)
    candidates = [rule for fragment, rule in _fragments() if fragment in f" {folded} "]
    if folded in _names():
        candidates.append(_names()[folded])
    return max(candidates, key=_severity, default=sources()[UNKNOWN])


def stricter(own: SourceRule, of_file: SourceRule) -> SourceRule:
    """The rule that counts for a row which names a source of its own: whichever of the two permits less, so that a word in a cell never
    lifts what the list as a whole is held to. Of equals the row's, which says more."""
    return own if own is of_file else max(own, of_file, key=_severity)


def _severity(rule: SourceRule) -> tuple[int, int]:
    return rule.strictness, rule.risk or 0
