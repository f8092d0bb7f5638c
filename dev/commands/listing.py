"""How every list is shown: page by page behind a cursor, as a table or as JSON, with a sentence where there is nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import typer
from rich.console import RenderableType

from dev.commands.session import Session
from dev.messages import Lang, Sentence
from dev.output import Output
from dev.terminal import Cell, facts, plain, table, toned, when
from dev.words import word

Json = Mapping[str, Any]
View = Callable[[Lang, Sequence[Json]], RenderableType]
"""A way of its own to show items, for lists that are more than a table."""
CursorOption = Annotated[
    str | None, typer.Option("--cursor", help="Go on where the list before ended, as it said at its end.")
]


class Column(NamedTuple):
    """A heading in both languages, and what stands below it: a field's name, or a function of the item and the language."""

    en: str
    ar: str
    cell: str | Callable[[Json, Lang], Cell]
    whole: bool = False
    """Never broken over lines: what people copy, above all ids."""
    number: bool = False


def moment(field: str, *, seconds: bool = False) -> Callable[[Json, Lang], Cell]:
    """A time, on the clock of Riyadh; empty for none."""
    return lambda one, _: when(one.get(field), seconds=seconds)


def named(group: str, field: str, tones: Mapping[str, str] | None = None) -> Callable[[Json, Lang], Cell]:
    """A value's name from `words.yaml`, in the colour of what it means. `tones` says it of values that have no colour themselves."""

    def cell(one: Json, lang: Lang) -> Cell:
        value = str(one.get(field) or "")
        return toned(word(group, value, lang), (tones or {}).get(value, value))

    return cell


def either(field: str) -> Callable[[Json, Lang], Cell]:
    """Yes or no."""
    return lambda one, lang: word("yes_or_no", "yes" if one.get(field) else "no", lang)


def in_language(field: str = "") -> Callable[[Json, Lang], Cell]:
    """The text in the reader's language: of `{en, ar}` in a field, or of the item itself without one. Empty where the field is."""
    return lambda one, lang: plain(((one.get(field) or {}) if field else one).get(lang))


def listing(
    here: Session,
    path: str,
    shown: Sequence[Column] | View,
    nothing: Sentence,
    *,
    limit: int,
    cursor: str | None,
    **filters: Any,
) -> list[dict[str, Any]]:
    """Show up to `limit` items of a list of the API, and how it goes on; returns them. Filters that are None are left out.

    Raises ApiError, NotRunning.
    """
    page = here.client.page(path, limit, cursor, **filters)
    items: list[dict[str, Any]] = page["items"]
    here.out.result(page)
    if not isinstance(shown, Sequence):
        here.out.show(shown(here.out.lang, items)) if items else here.out.say(nothing)
    else:
        show_items(here.out, items, shown, nothing)
    if more := page.get("next_cursor"):
        here.out.say(Sentence(f"There is more: --cursor {plain(more)}", f"للمزيد: --cursor {plain(more)}"))
    return items


def show_items(out: Output, items: Iterable[Json], columns: Sequence[Column], nothing: Sentence | None = None) -> None:
    """Items as a table; where there are none, the sentence that says so."""
    rows = [[_cell(column, one, out.lang) for column in columns] for one in items]
    if not rows and nothing is not None:
        out.say(nothing)
        return
    whole = [at for at, column in enumerate(columns) if column.whole]
    numbers = [at for at, column in enumerate(columns) if column.number]
    out.show(table(out.lang, [(c.en, c.ar) for c in columns], rows, whole=whole, numbers=numbers))


def show_one(out: Output, one: Json, columns: Sequence[Column]) -> None:
    """One item in full, a line for each column that is not empty."""
    shown = [(column.ar if out.lang == "ar" else column.en, _cell(column, one, out.lang)) for column in columns]
    out.show(facts([pair for pair in shown if str(pair[1])]))


def _cell(column: Column, one: Json, lang: Lang) -> Cell:
    return plain(one.get(column.cell)) if isinstance(column.cell, str) else column.cell(one, lang)
