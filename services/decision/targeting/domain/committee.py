"""Buying-committee roles from Arabic and English job titles."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, lru_cache

from libs.contracts.catalogue.targeting import Targeting, targeting
from services.decision.domain.text import fold, words

_ARTICLE = "ال"
_MAX_WORDS = 6
_HELPS = frozenset({"assistant", "secretary", "مساعد", "سكرتير"})
"""Whoever helps somebody is not that somebody: such a title is what its own word says, whoever is named after it."""
_OFFICES = frozenset({"قسم", "ادار"})
"""Words for a part of an organisation, which a title may have or not: رئيس قسم المشتريات is رئيس المشتريات."""


@dataclass(frozen=True, slots=True)
class Seat:
    """A role in the committee; `exact` is whether the whole title was understood, not only part of it."""

    role: str
    fit: float
    exact: bool


def seat(title: str | None) -> Seat | None:
    """The role of a job title, or None where the title says nothing that is known.

    The longest known title inside the text decides ("مدير المشتريات" is a gatekeeper, though "مدير" alone is an influencer).
    """
    return _seat(title) if title else None


@lru_cache(maxsize=65536)
def _seat(title: str) -> Seat | None:
    tokens = _tokens(title)
    index = _index()
    helps = next((at for at, word in enumerate(tokens[:2]) if word in _HELPS), None)
    if helps is not None and tokens not in index:
        role = index[(tokens[helps],)][1]
        return Seat(role, targeting().roles[role].fit, exact=False)
    if tokens not in index and (plain := tuple(word for word in tokens if word not in _OFFICES)) in index:
        tokens = plain
    for length in range(min(_MAX_WORDS, len(tokens)), 0, -1):
        # Ties: the earlier role of the catalogue, so that an assistant to a manager is not taken for one.
        found = [
            index[run] for start in range(len(tokens) - length + 1) if (run := tokens[start : start + length]) in index
        ]
        if found:
            order, role = min(found)
            del order
            return Seat(role, targeting().roles[role].fit, exact=length == len(tokens))
    return None


@cache
def _index() -> dict[tuple[str, ...], tuple[int, str]]:
    return _titles(targeting())


def _titles(catalogue: Targeting) -> dict[tuple[str, ...], tuple[int, str]]:
    found: dict[tuple[str, ...], tuple[int, str]] = {}
    for order, (name, role) in enumerate(catalogue.roles.items()):
        for title in role.titles:
            found.setdefault(_tokens(title), (order, name))
    return found


def _tokens(title: str) -> tuple[str, ...]:
    return tuple(_bare(word) for word in words(fold(title)))


def _bare(word: str) -> str:
    """Without the article and the mark of the feminine, so that المدير المالي, مدير مالي and المديرة المالية are one title; ليل stays
    what it is."""
    if word.startswith(("لل", _ARTICLE)) and len(word) > 4:
        word = word[2:]
    return word[:-1] if word.endswith("ه") and len(word) > 3 else word
