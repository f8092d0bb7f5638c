"""What a JSON body may hold before any plane sees it: limits that are the same for every endpoint."""

from __future__ import annotations

import math
from typing import Any

DEPTH = 32
EXACT = 2**53 - 1
"""Beyond it JSON numbers are not exact everywhere (RFC 8785 section 3.2.2.3); amounts go as text."""


def unfit(body: Any) -> str | None:
    """Why a decoded JSON value cannot be kept or hashed; None when it can. Walks without recursion: depth is the attacker's."""
    waiting: list[tuple[Any, int]] = [(body, 0)]
    while waiting:
        value, depth = waiting.pop()
        if depth > DEPTH:
            return f"It is nested deeper than {DEPTH} levels."
        if isinstance(value, str):
            if problem := _text(value):
                return problem
        elif isinstance(value, bool) or value is None:
            continue
        elif isinstance(value, int):
            if abs(value) > EXACT:
                return "A whole number is too large for JSON; send it as text."
        elif isinstance(value, float):
            if not math.isfinite(value):
                return "NaN and Infinity are not JSON."
        elif isinstance(value, dict):
            waiting += [(item, depth + 1) for pair in value.items() for item in pair]
        elif isinstance(value, list):
            waiting += [(item, depth + 1) for item in value]
    return None


def _text(value: str) -> str | None:
    if "\x00" in value:
        return "A text contains the character NUL."
    if any("\ud800" <= character <= "\udfff" for character in value):
        return "A text contains half a character (a lone surrogate)."
    return None
