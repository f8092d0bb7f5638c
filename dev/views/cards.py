"""Decision cards: all of a card, its buttons as commands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from dev.messages import Lang
from dev.terminal import Cell, command, facts, plain, table, toned
from dev.words import word

Json = Mapping[str, Any]


def card(lang: Lang, item: Json) -> RenderableType:
    """One card in full, its choices as commands."""
    ar = lang == "ar"
    pairs: list[tuple[str, Cell]] = [
        ("لماذا الآن" if ar else "why now", plain(item.get(f"why_now_{lang}"))),
        ("المقترح" if ar else "recommended", plain(item.get(f"recommended_action_{lang}"))),
        *((plain(f.get(f"label_{lang}")), plain(f.get("value"))) for f in item.get("facts") or ()),
        ("المخاطرة" if ar else "risk", toned(word("risk", item.get("risk_level"), lang), item.get("risk_level"))),
    ]
    parts: list[RenderableType] = [
        Text(plain(item.get(f"title_{lang}")), style="bold"),
        facts([pair for pair in pairs if pair[1]]),
    ]
    for button in item.get("buttons") or ():
        parts.append(Text(f"{plain(button.get(f'label_{lang}'))}:"))
        why = ' --note "…"' if button.get("action") == "reject" else ""
        parts.append(command(f"dealix decide {plain(item.get('card_id'))} {plain(button.get('action'))}{why}"))
    return Group(*parts, Text())


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
