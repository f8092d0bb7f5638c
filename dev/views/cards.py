"""Decision cards: all of a card, its buttons as commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.text import Text

from dev.messages import Lang
from dev.terminal import Cell, facts, plain, table, toned
from dev.words import word

Json = Mapping[str, Any]


def card(lang: Lang, item: Json) -> RenderableType:
    """One card in full."""
    ar = lang == "ar"
    pairs: list[tuple[str, Cell]] = [
        ("لماذا الآن" if ar else "why now", plain(item.get(f"why_now_{lang}"))),
        ("المقترح" if ar else "recommended", plain(item.get(f"recommended_action_{lang}"))),
        *((plain(f.get(f"label_{lang}")), plain(f.get("value"))) for f in item.get("facts") or ()),
        ("المخاطرة" if ar else "risk", toned(word("risk", item.get("risk_level"), lang), item.get("risk_level"))),
    ]
    return Panel(
        Group(facts([pair for pair in pairs if pair[1]]), Text(), buttons(lang, item)),
        title=Text(plain(item.get(f"title_{lang}")), style="bold"),
        title_align="left",
        border_style="dim",
    )


def buttons(lang: Lang, item: Json) -> RenderableType:
    """What can be decided, as commands."""
    card_id = plain(item.get("card_id"))
    return facts(
        [
            (plain(b.get(f"label_{lang}")), f"dealix decide {card_id} {plain(b.get('action'))}")
            for b in item.get("buttons") or ()
        ]
    )


def overview(lang: Lang, items: Sequence[Json]) -> RenderableType:
    """One line a card."""
    rows = [
        (
            plain(item.get(f"title_{lang}")),
            plain(item.get(f"why_now_{lang}")),
            toned(word("risk", item.get("risk_level"), lang), item.get("risk_level")),
            " | ".join(plain(b.get(f"label_{lang}")) for b in item.get("buttons") or ()),
        )
        for item in items
    ]
    return table(
        lang, [("card", "البطاقة"), ("why now", "لماذا الآن"), ("risk", "المخاطرة"), ("choices", "الخيارات")], rows
    )
