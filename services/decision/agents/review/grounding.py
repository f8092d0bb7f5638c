"""Figures of price and performance in a text that nothing which the writer was given supports."""

from __future__ import annotations

import re
from collections.abc import Iterable

_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩٫", "0123456789.")
_NUMBER = r"\d[\d,٬]*(?:\.\d+)?"
_UNIT = r"(?:%|٪|ر\.\s?س\.?|ريال(?:ا|اً|ًا)?|sar\b|riyals?\b|per\s?cent\b|percent\b|بالمئة|بالمائة|في المئة|في المائة|أضعاف|ضعف|x\b|times\b)"
_CLAIMED = re.compile(rf"(?P<after>{_NUMBER})\s*{_UNIT}|(?:sar|sr|ر\.\s?س\.?)\s*(?P<before>{_NUMBER})", re.IGNORECASE)
_ANY = re.compile(_NUMBER)


def ungrounded(text: str, given: Iterable[str]) -> tuple[str, ...]:
    """The amounts, percentages and multiples of a text that stand in none of the given texts, each once, as written plainly."""
    known = {_plain(found) for one in given for found in _ANY.findall(one.translate(_DIGITS))}
    said = (_plain(match["after"] or match["before"]) for match in _CLAIMED.finditer(text.translate(_DIGITS)))
    return tuple(dict.fromkeys(one for one in said if one not in known))


def _plain(number: str) -> str:
    whole, _, part = number.replace(",", "").replace("٬", "").partition(".")
    kept = part.rstrip("0")
    return f"{whole.lstrip('0') or '0'}.{kept}" if kept else whole.lstrip("0") or "0"
