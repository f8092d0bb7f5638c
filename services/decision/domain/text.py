"""Arabic and English text: folded forms for comparing, words with their attached particles, and counted nouns.

Folding is for comparing only; nothing that a person reads is made from a folded form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from functools import lru_cache

from libs.contracts.arabic import DAYS, HOURS, MONTHS, YEARS

_FOLD: dict[int, str | None] = {
    **{ord(c): str(i % 10) for i, c in enumerate("٠١٢٣٤٥٦٧٨٩۰۱۲۳۴۵۶۷۸۹")},
    **{ord(a): b for a, b in zip("أإآٱىئیؤةکگ", "ااااييوهك", strict=False)},
    ord("ی"): "ي", ord("ؤ"): "و", ord("ئ"): "ي", ord("ة"): "ه", ord("ک"): "ك", ord("گ"): "ك", ord("ى"): "ي",
    ord("ء"): None, ord("ـ"): None, ord("٪"): "%", ord("’"): "'",
    # Harakat, the superscript alef, bidirectional controls and zero-width marks.
    **dict.fromkeys((*range(0x610, 0x61B), *range(0x64B, 0x660), 0x670, *range(0x6D6, 0x6DD)), None),
    **dict.fromkeys((*range(0x200B, 0x2010), *range(0x202A, 0x202F), *range(0x2060, 0x206A), 0xFEFF, 0x61C, 0xAD), None),
}  # fmt: skip
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)?%?")
_SENTENCE_END = re.compile(r"[!?؟؛;،,:\n•·|]+|\.(?!\d)")
_ARABIC = re.compile("[\u0600-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufeff]")

# Particles and the article are written onto the next word. What stands before a stem must be one of these, whole:
# so "يتضمن" (includes) never yields "يضمن" (guarantees).
_ATTACHED = (
    "وبال",
    "وال",
    "فال",
    "بال",
    "كال",
    "ولل",
    "فلل",
    "وب",
    "ول",
    "وس",
    "فس",
    "ال",
    "لل",
    "و",
    "ف",
    "ب",
    "ل",
    "س",
)
_SHORTEST_STEM = 3


def fold(text: str) -> str:
    """The form under which spellings of the same words are equal: case, Arabic letter shapes, marks and digits levelled."""
    return text.casefold() if text.isascii() else text.translate(_FOLD).casefold()


def words(folded: str) -> list[str]:
    """The words of a folded text, without punctuation; a number keeps its percent sign."""
    return _WORD.findall(folded)


def sentences(text: str) -> Iterator[str]:
    """The clauses of a text: split at sentence marks, commas and line ends. A point inside a number does not split."""
    return (part for part in _SENTENCE_END.split(text) if part and not part.isspace())


@lru_cache(maxsize=65536)
def stems(word: str) -> frozenset[str]:
    """A folded word and what is left of it without the particles and the article that Arabic writes onto it."""
    found = {word}
    if not word.isascii():
        # "اجتماعًا" is folded to "اجتماعا": the accusative's alef is not part of the word.
        bare = [word, word[:-1]] if word.endswith("ا") and len(word) > _SHORTEST_STEM else [word]
        found.update(bare)
        found.update(
            one[len(prefix) :]
            for one in bare
            for prefix in _ATTACHED
            if one.startswith(prefix) and len(one) - len(prefix) >= _SHORTEST_STEM
        )
    return frozenset(found)


def is_arabic(text: str | None) -> bool:
    """Whether the text holds any Arabic letter."""
    return text is not None and not text.isascii() and _ARABIC.search(text) is not None


def days_ar(number: int) -> str:
    return DAYS(number)


def hours_ar(number: int) -> str:
    return HOURS(number)


def ago_ar(days: int) -> str:
    """How long ago, as one would say it: اليوم، أمس، قبل 3 أيام، قبل شهرين."""
    if days <= 0:
        return "اليوم"
    if days == 1:
        return "أمس"
    if days < 60:
        return f"قبل {days_ar(days)}"
    months = round(days / 30.4)
    if months < 24:
        return f"قبل {MONTHS(months)}"
    years = round(days / 365.25)
    return f"قبل {YEARS(years)}"


def ago_en(days: int) -> str:
    if days <= 0:
        return "today"
    if days == 1:
        return "yesterday"
    if days < 60:
        return f"{days} days ago"
    months = round(days / 30.4)
    return f"{months} months ago" if months < 24 else f"{round(days / 365.25)} years ago"


MONTHS_AR = (
    "يناير",
    "فبراير",
    "مارس",
    "أبريل",
    "مايو",
    "يونيو",
    "يوليو",
    "أغسطس",
    "سبتمبر",
    "أكتوبر",
    "نوفمبر",
    "ديسمبر",
)
MONTHS_EN = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December")  # fmt: skip


def date_ar(day: date) -> str:
    return f"{day.day} {MONTHS_AR[day.month - 1]} {day.year}"


def date_en(day: date) -> str:
    return f"{day.day} {MONTHS_EN[day.month - 1]} {day.year}"


def money_ar(amount: Decimal) -> str:
    """SAR, with halalas only where there are any."""
    return f"{_amount(amount)} ر.س"


def money_en(amount: Decimal) -> str:
    return f"SAR {_amount(amount)}"


def _amount(amount: Decimal) -> str:
    return f"{amount:,.0f}" if amount == amount.to_integral_value() else f"{amount:,.2f}"


def joined_ar(items: tuple[str, ...] | list[str]) -> str:
    """A list in running text: «أ»، «أ وب»، «أ وب وج»."""
    return " و".join(items)


def joined_en(items: tuple[str, ...] | list[str]) -> str:
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} and {items[-1]}"
