"""Entries of the ledger as an audit trail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from dev.messages import Lang
from dev.terminal import facts, plain, when

Json = Mapping[str, Any]


def trail(lang: Lang, items: Sequence[Json]) -> RenderableType:
    """Entries, one below the other."""
    return Group(*(entry(lang, one) for one in items))


def entry(lang: Lang, item: Json) -> RenderableType:
    """One entry: what, when, by whom, about what, and its data. Ids stay whole, to be copied."""
    ar = lang == "ar"
    seq = ("لم يُرقّم بعد" if ar else "not numbered yet") if item.get("seq") is None else str(item["seq"])
    told = {name: value for name, value in (item.get("data") or {}).items() if value not in ("", None, [], {})}
    data = " · ".join(f"{plain(name)}: {_value(value)}" for name, value in told.items())
    shown = facts(
        [
            ("القيد" if ar else "entry", Text(f"{seq}  {plain(item.get('kind'))}", style="bold")),
            ("الوقت" if ar else "time", when(item.get("at"), seconds=True)),
            ("من" if ar else "by", plain(item.get("actor"))),
            ("عن" if ar else "about", plain(item.get("target"))),
        ]
    )
    if data:
        shown.add_row("البيانات" if ar else "data", data)
    shown.add_row("", "")
    return shown


def _value(value: object) -> str:
    return ", ".join(plain(each) for each in value) if isinstance(value, list) else plain(value)
