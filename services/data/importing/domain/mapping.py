"""Which column feeds which field: header names in Arabic and English, compared after folding."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from functools import cache

from rapidfuzz import fuzz, process

from services.data.importing.domain.messages import FileRefused, say
from services.data.importing.domain.records import Column, Said
from services.data.importing.domain.text import fold
from services.data.importing.domain.vocabulary import load

EXACT = 1.0
SURE_FROM = 0.88
"""Below this a header that resembles a known name is left unmapped: a wrong column is worse than a missing one."""


@cache
def _names() -> dict[str, tuple[str, int]]:
    """Folded header to (field, position among the field's names)."""
    known: dict[str, tuple[str, int]] = {}
    for name, entry in load("fields").items():
        for position, label in enumerate([entry["en"], entry["ar"], name.replace("_", " "), *entry["names"]]):
            known.setdefault(fold(label), (name, position))
    known.pop("", None)
    return known


@cache
def fields() -> frozenset[str]:
    """Every field a column may feed."""
    return frozenset(load("fields"))


@cache
def of_people() -> frozenset[str]:
    """Fields that tell something of a person, not of the company or of what was agreed."""
    return frozenset(name for name, entry in load("fields").items() if entry.get("person"))


def label(field: str, language: str) -> str:
    """What people call the field, `language` being en or ar."""
    return str(load("fields")[field][language])


def recognise(header: str) -> tuple[str | None, float, int]:
    """The field a header names, with confidence 0 to 1 and its rank among the field's names (lower is the better
    claim)."""
    folded = fold(header)
    if not folded:
        return None, 0.0, 0
    known = _names()
    if folded in known:
        name, position = known[folded]
        return name, EXACT, position
    bare = _without_article(folded)
    if bare in known:
        name, position = known[bare]
        return name, 0.95, position + 100
    if len(folded) >= 5:
        close = process.extractOne(folded, known.keys(), scorer=fuzz.ratio, score_cutoff=SURE_FROM * 100)
        if close:
            name, position = known[close[0]]
            return name, round(close[1] / 100, 2), position + 200
    return None, 0.0, 0


def _without_article(folded: str) -> str:
    return " ".join(word[2:] if word.startswith("ال") and len(word) > 4 else word for word in folded.split())


def header_score(cells: Sequence[str], chosen: Collection[str] = ()) -> int:
    """How many of the cells name a field for certain, or are among the folded headers that people chose fields for: the header is the
    row where this is highest."""
    return sum(1 for cell in cells if cell and len(cell) <= 60 and (recognise(cell)[1] >= 0.95 or fold(cell) in chosen))


def map_columns(
    header: Sequence[str], chosen: Mapping[str, str] | None = None, *, company: bool = True, unnamed: bool = False
) -> tuple[Column, ...]:
    """The columns with their fields. `chosen` (header to field, "" for none) is the user's word and always wins.

    `company`: whether rows are leads, which need the name of a company; `unnamed`: whether no column need be known.
    Where two columns claim one field the better claim wins and the other stays unmapped. Raises FileRefused:
    bad_mapping, no_recognised_column, no_company_column.
    """
    chosen = {fold(key): value for key, value in (chosen or {}).items()}
    folded = [fold(name) for name in header]
    for key, name in chosen.items():
        if name and name not in fields():
            raise _bad("unknown_field", name=name, fields=_listed(sorted(fields())))
        if key not in folded:
            raise _bad("unknown_column", name=key, columns=_listed([name for name in header if name][:30]))
    claims: dict[str, tuple[float, int, int]] = {}
    found: list[tuple[str | None, float]] = []
    for index, name in enumerate(header):
        field, confidence, rank = recognise(name)
        if folded[index] in chosen:
            field, confidence, rank = chosen[folded[index]] or None, EXACT, -1
        found.append((field, confidence))
        if field and field != "ignored":
            claims[field] = min(claims.get(field, (2.0, 0, 0)), (-confidence, rank, index))
    columns = tuple(
        Column(index, name, field, confidence)
        if field and (field == "ignored" or claims[field][2] == index)
        else Column(index, name, None, 0.0)
        for index, (name, (field, confidence)) in enumerate(zip(header, found, strict=True))
    )
    return columns if unnamed else _with_company(columns, company)


def check_choice(chosen: Mapping[str, str]) -> None:
    """Raises FileRefused (bad_mapping) where a person gives one field to two columns."""
    columns: dict[str, str] = {}
    for column, field in chosen.items():
        other = columns.setdefault(field, column)
        if field and field != "ignored" and other != column:
            raise _bad(
                "two_columns",
                field=Said("", label(field, "en"), label(field, "ar")) if field in fields() else field,
                one=other,
                other=column,
            )


def _bad(code: str, **values: object) -> FileRefused:
    said = say("mapping", code, **values)
    return FileRefused.told("bad_mapping", said.en, said.ar)


def _listed(names: Sequence[str]) -> Said:
    return Said("", ", ".join(names), "، ".join(names))


def _with_company(columns: tuple[Column, ...], company: bool) -> tuple[Column, ...]:
    mapped = {column.field for column in columns} - {None, "ignored"}
    if not mapped:
        raise FileRefused("no_recognised_column")
    if company and not mapped & {"company", "company_ar"}:
        raise FileRefused("no_company_column", columns="، ".join(c.header for c in columns[:12] if c.header))
    return columns
