"""People, agents, records and the system by what they are called, wherever a table or a form's page shows who did what to whom."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from services.gateway.console.actors import PERSON, RECORD, actor, term, unnamed
from services.gateway.console.pages_desk import Cell, DeskPage, Section
from services.gateway.console.urls import url
from services.gateway.console.views import Lang


def people(page: DeskPage) -> set[str]:
    """Every person that a value of the page names by their id."""
    return {cell.value for cell in _cells(page) if isinstance(cell.value, str) and PERSON.fullmatch(cell.value)}


def things(page: DeskPage) -> set[str]:
    """Every record of ours that a value of the page names by its kind and id."""
    return {cell.value for cell in _cells(page) if isinstance(cell.value, str) and RECORD.fullmatch(cell.value)}


def named(page: DeskPage, names: Mapping[str, str], lang: Lang) -> DeskPage:
    """The page with `names` of people and records for their ids, a link to each record, and catalogue words for agents and the system."""

    def cell(one: Cell) -> Cell:
        if not isinstance(one.value, str) or not one.value:
            return one
        if (record := RECORD.fullmatch(one.value)) is not None:
            shown = names.get(one.value) or unnamed(lang, record[1], record[2])
            return replace(one, value=shown, kind="text", href=one.href or url(record[1], record[2]))
        shown = actor(lang, one.value, names) if one.kind == "ltr" or ":" in one.value else one.value
        if shown == one.value and one.kind == "ltr":
            shown = term(lang, one.value)
        return one if shown == one.value else replace(one, value=shown, kind="text")

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
