"""How values and tables look in a terminal. Arabic goes out in logical order: shaping and direction are the terminal's."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime

from rich import box
from rich.table import Table
from rich.text import Text

from dev.messages import Lang
from libs.contracts.business_time import RIYADH

Cell = str | Text

_COLOURS = {
    "green": ("safe", "succeeded", "approved", "ok", "created", "low", "completed"),
    "yellow": ("needs_review", "awaiting_approval", "pending", "medium", "unknown", "accepted", "granted", "dispatched"),
    "red": ("blocked", "refused", "failed", "rejected", "high", "expired"),
}  # fmt: skip
_COLOUR_OF = {value: colour for colour, values in _COLOURS.items() for value in values}


def plain(value: object, *, lines: bool = False) -> str:
    """A value from outside as text that cannot act on the terminal or reorder its neighbours.

    Control characters and directional overrides come out as visible escapes: what an approver reads must be what is
    there. `lines` keeps line breaks.
    """
    text = "" if value is None else str(value)
    return "".join(c if _harmless(c) or (lines and c == "\n") else c.encode("unicode_escape").decode() for c in text)


def _harmless(character: str) -> bool:
    # Zero-width joiners (Cf) are part of Arabic and Persian spelling; the bidirectional controls are not.
    if character in "\u200c\u200d\u00ad":
        return True
    return unicodedata.category(character) not in ("Cc", "Cf", "Zl", "Zp", "Cs")


def toned(text: str, value: object) -> Text:
    """A word with the colour of what it means; the word itself says it too."""
    return Text(text, style=_COLOUR_OF.get(str(value), ""))


def when(value: object, *, seconds: bool = False) -> str:
    """A time (ISO 8601 with a zone) on the clock of Riyadh."""
    if not value:
        return ""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return plain(value)
    form = "%Y-%m-%d %H:%M:%S" if seconds else "%Y-%m-%d %H:%M"
    return moment.astimezone(RIYADH).strftime(form) if moment.tzinfo else plain(value)


def took(milliseconds: object) -> str:
    """A duration with a unit that fits: microseconds to days."""
    value = float(milliseconds) if isinstance(milliseconds, int | float) else 0.0
    if value < 1:
        return f"{value * 1000:.0f} µs" if value else "0"
    if value < 1000:
        return f"{value:.1f} ms"
    seconds = value / 1000
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.1f} s"


def table(
    lang: Lang,
    headings: Sequence[tuple[str, str]],
    rows: Sequence[Sequence[Cell]],
    *,
    numbers: Sequence[int] = (),
    whole: Sequence[int] = (),
) -> Table:
    """A table with headings in the language. `numbers` are the columns aligned as numbers, `whole` those never broken."""
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for at, (en, ar) in enumerate(headings):
        made.add_column(
            ar if lang == "ar" else en,
            justify="right" if at in numbers else "left",
            overflow="fold",
            no_wrap=at in whole or at in numbers,
        )
    for row in rows:
        made.add_row(*row)
    return made


def facts(pairs: Sequence[tuple[str, Cell]]) -> Table:
    """Two columns: a name and its value, in full."""
    made = Table(box=None, show_header=False, pad_edge=False)
    made.add_column(style="dim", no_wrap=True)
    made.add_column(overflow="fold")
    for name, value in pairs:
        made.add_row(name, value)
    return made


def command(line: str) -> Text:
    """A command to copy: on one line, however narrow the terminal is."""
    return Text(f"  {line}", style="cyan", no_wrap=True, overflow="ignore")
