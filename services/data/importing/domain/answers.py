"""Yes-and-no cells. The two questions err in opposite directions: an opt-out holds as soon as anything says so, an
opt-in only when it is plain."""

from __future__ import annotations

from functools import cache, lru_cache

from services.data.importing.domain.records import OptOut
from services.data.importing.domain.text import clean, fold, latin_digits
from services.data.importing.domain.vocabulary import load


@cache
def _words(*groups: str) -> frozenset[str]:
    return frozenset(fold(word) for group in groups for word in load("answers")[group]) - {""}


@cache
def _marks() -> frozenset[str]:
    return frozenset(load("answers")["yes_marks"])


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


@lru_cache(maxsize=4096)
def opted_out(cell: str) -> OptOut:
    """Whether an opt-out cell means that the person opted out.

    Empty: no. Any truthy spelling ("yes", "نعم", 1, "1.0", "opted out", "لا ترسل", ✓): yes. A plain no: no. All the
    rest, a lone dash included, is unknown, which nobody may treat as safe.
    """
    text = clean(cell)
    if not text:
        return OptOut.NO
    if text[0] in _marks():
        return OptOut.YES
    folded = fold(text)
    number = _number(latin_digits(text))
    if number is not None:
        return OptOut.NO if number == 0 else OptOut.YES
    if folded in _words("no", "not_opted_out"):
        return OptOut.NO
    if folded in _words("yes", "ticks", "opted_out") or _begins_with_yes(folded) or _says(folded):
        return OptOut.YES
    return OptOut.UNKNOWN


def _begins_with_yes(folded: str) -> bool:
    first = folded.partition(" ")[0]
    return len(first) > 1 and first in _words("yes")


def _says(folded: str) -> bool:
    """Whether a phrase for opting out of two words or more stands anywhere in the text."""
    padded = f" {folded} "
    return any(" " in phrase and f" {phrase} " in padded for phrase in _words("opted_out"))


@lru_cache(maxsize=4096)
def opted_in(cell: str) -> bool | None:
    """Whether an opt-in cell states consent: True, False, or None when it is empty or unclear. Only a plain yes is a
    yes."""
    text = clean(cell)
    if text in _marks():
        return True
    folded = fold(text)
    if folded in ("1", "1 0") or folded in _words("yes", "opted_in"):
        return True
    if folded in ("0", "0 0") or folded in _words("no", "not_opted_in", "opted_out"):
        return False
    return None


@lru_cache(maxsize=1024)
def is_cold(cell: str) -> bool:
    """Whether a cold-flag cell is set: anything but an empty cell or a plain no."""
    folded = fold(cell)
    return bool(folded) and folded not in _words("no") and _number(latin_digits(clean(cell))) != 0


def is_placeholder(text: str) -> bool:
    """Whether a cell only says that there is nothing to say ("N/A", "-", "غير معروف")."""
    folded = fold(text)
    return not folded or folded in _words("placeholders")
