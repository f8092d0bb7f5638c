"""vCard files (RFC 6350, and the older 3.0 and 2.1 that phones write) as a table: one card, one row."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from services.data.importing.domain.table import Record

HEADER = ("company", "name", "title", "mobile", "office phone", "email", "website", "city", "notes")
"""The columns that a card's properties become: ORG, FN or N, TITLE, TEL (cell first), TEL (work), EMAIL, URL, ADR, NOTE."""
MAX_CARD = 200_000
"""Characters; a longer card carries a photograph, which is cut away with the properties that nobody reads."""

_CARD = re.compile(r"^BEGIN:VCARD[ \t]*$(.*?)^END:VCARD[ \t]*$", re.IGNORECASE | re.DOTALL | re.MULTILINE)
_UNREAD = re.compile(
    r"^(?:[\w-]+\.)?(?:PHOTO|LOGO|SOUND|KEY)\b.*\n(?:[ \t].*\n|[A-Za-z0-9+/=]{30,}\n|\n)*", re.IGNORECASE | re.MULTILINE
)


def read_cards(text: str) -> Iterator[Record]:
    """One record a card, numbered from 1; a card that cannot be read comes as broken with its first lines."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    number = 0
    end = 0
    for number, found in enumerate(_CARD.finditer(text), 1):
        yield _record(number, found[0])
        end = found.end()
    if re.search(r"^BEGIN:VCARD", text[end:], re.IGNORECASE | re.MULTILINE):
        yield Record(number + 1, (text[end:].strip()[:200],), broken=True)


def _record(number: int, card: str) -> Record:
    card = _UNREAD.sub("", card)
    if len(card) > MAX_CARD:
        return Record(number, (card[:200],), broken=True)
    import vobject  # here: few files are cards, and every child that carries an import out would wait for it
    from vobject.base import VObjectError

    try:
        read = vobject.readOne(card, allowQP=True, ignoreUnreadable=True)
        return Record(number, _cells(read.contents))
    except (VObjectError, ValueError, IndexError, KeyError, AttributeError):
        return Record(number, (card[:200],), broken=True)


def _cells(contents: dict[str, list[Any]]) -> tuple[str, ...]:
    phones = [(_types(one), _number(_text(one.value))) for one in contents.get("tel", ())]
    mobile = next((number for kinds, number in phones if kinds & {"CELL", "MOBILE"}), "")
    office = next((number for kinds, number in phones if "WORK" in kinds and number != mobile), "")
    mobile = mobile or next((number for _, number in phones if number != office), "")
    return (
        _first(contents, "org"), _first(contents, "fn") or _name(contents), _first(contents, "title"), mobile, office,
        _first(contents, "email"), _first(contents, "url"), _city(contents), _first(contents, "note"),
    )  # fmt: skip


def _number(text: str) -> str:
    """What is dialled: a card of version 4 writes a number as a URI (RFC 6350, 6.4.1; RFC 3966)."""
    return text[4:].split(";", 1)[0] if text[:4].lower() == "tel:" else text


def _types(line: Any) -> set[str]:
    return {kind.upper() for kind in (*line.params.get("TYPE", ()), *line.singletonparams)}


def _first(contents: dict[str, list[Any]], name: str) -> str:
    return next((text for line in contents.get(name, ()) if (text := _text(line.value))), "")


def _text(value: Any) -> str:
    parts = value if isinstance(value, list) else [value]
    return str(next((part for part in parts if part), "")).strip()


def _name(contents: dict[str, list[Any]]) -> str:
    found = next((line.value for line in contents.get("n", ())), None)
    return " ".join(part for part in (_text(found.given), _text(found.family)) if part) if found is not None else ""


def _city(contents: dict[str, list[Any]]) -> str:
    return next((text for line in contents.get("adr", ()) if (text := _text(getattr(line.value, "city", "")))), "")
