"""People, keys and the system by what they are called, wherever a table or a form's page shows who did something."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from services.gateway.console.pages_desk import Cell, DeskPage, Section
from services.gateway.console.present import pick
from services.gateway.console.views import Lang

_PERSON = re.compile(r"user:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_KEY = re.compile(r"key:[0-9a-f]{8}(-[0-9a-f]{4}){3}-([0-9a-f]{12})")
_SYSTEM = re.compile(r"system:[a-z_]+")


def people(page: DeskPage) -> set[str]:
    """Every person that a value of the page names by their id."""
    return {cell.value for cell in _cells(page) if isinstance(cell.value, str) and _PERSON.fullmatch(cell.value)}


def named(page: DeskPage, names: Mapping[str, str], lang: Lang) -> DeskPage:
    """The page with `names` for ids; keys by the end of theirs, and Dealix itself by its name."""

    def cell(one: Cell) -> Cell:
        if not isinstance(one.value, str) or one.href:
            return one
        if one.value in names:
            return replace(one, value=names[one.value], kind="text")
        if (key := _KEY.fullmatch(one.value)) is not None:
            return replace(one, value=f"{pick(lang, 'مفتاح API', 'API key')} …{key[2][-6:]}", kind="text")
        if _SYSTEM.fullmatch(one.value):
            return replace(one, value=pick(lang, "النظام", "Dealix itself"), kind="text")
        return one

    def section(one: Section) -> Section:
        pairs = tuple(
            replace(pair, facts=tuple((label, cell(value)) for label, value in pair.facts)) for pair in one.pairs
        )
        rows = tuple(tuple(cell(value) for value in row) for row in one.rows)
        return replace(one, facts=tuple((label, cell(value)) for label, value in one.facts), rows=rows, pairs=pairs)

    return replace(page, sections=tuple(section(one) for one in page.sections))


def _cells(page: DeskPage) -> Iterator[Cell]:
    for section in page.sections:
        yield from (value for _, value in section.facts)
        yield from (value for row in section.rows for value in row)
        yield from (value for pair in section.pairs for _, value in pair.facts)
