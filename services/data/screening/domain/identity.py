"""Whether a document looks like a copy of an identity document, by what such documents print (PDPL art. 28)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Identity = Literal["", "national_id", "residence_permit", "passport"]

# ICAO Doc 9303, part 4: the first line of a passport's machine readable zone.
_ZONE = re.compile(r"\bP[A-Z<][A-Z]{3}[A-Z<]{20,}")
_HEADING: tuple[tuple[Identity, re.Pattern[str]], ...] = (
    ("passport", re.compile(r"\bpassport\s*(?:no|number|#)\b|رقم\s+(?:ال)?جواز", re.IGNORECASE)),
    ("residence_permit", re.compile(r"\bresident\s+identity\b|\biqama\s*(?:no|number|#)\b|(?:هوية\s+مقيم|رخصة\s+(?:ال)?إقامة)", re.IGNORECASE)),
    ("national_id", re.compile(r"\bnational\s+(?:id|identity)\s*(?:card|no|number|#)\b|(?:بطاقة\s+)?(?:الهوية\s+الوطنية|هوية\s+وطنية)", re.IGNORECASE)),
)  # fmt: skip
_NUMBER = re.compile(r"(?<!\w)(?:[12]\d{9}|[A-Z]\d{7,8})(?!\w)")
_BORN = re.compile(r"\b(?:date of birth|birth date|expiry date|date of expiry)\b|تاريخ\s+(?:الميلاد|الانتهاء|انتهاء)", re.IGNORECASE)  # fmt: skip
_DIGITS = str.maketrans("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹", "01234567890123456789")


def identity_of(blocks: Sequence[str]) -> Identity:
    """The kind of identity document that a text is a copy of: its heading, a number of its form, and a date that only such a document
    prints. Empty for a text that only speaks of one. A picture holds no text and is not recognised.
    """
    text = "\n".join(blocks)[:20_000].translate(_DIGITS)
    if _ZONE.search(text):
        return "passport"
    if _NUMBER.search(text) and _BORN.search(text):
        for kind, heading in _HEADING:
            if heading.search(text):
                return kind
    return ""
