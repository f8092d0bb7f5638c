"""Cards over WhatsApp: a numbered brief, reply buttons, and the parser of what comes back.

Limits of the vendor (Meta Cloud API, interactive reply buttons): 3 buttons, 20 characters each, 1,024 characters of body.
An answer that could mean two things decides nothing: the person is asked again.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from libs.contracts.catalogue.cards import Cards
from libs.contracts.decision import Card
from libs.contracts.message import Text
from services.decision.domain.text import fold, words

MAX_BODY = 1024
MAX_LABEL = 20
MAX_BUTTONS = 3

_SEPARATED = re.compile(r"^\W*(\d{1,2})\s*[-‐‑−–—./:,،\s]\s*(\d{1,2})\W*$")
_ALONE = re.compile(r"^\W*(\d{1,2})\W*$")
_HEAD = Text(en="*Today's decisions*", ar="*قرارات اليوم*")
_EMPTY = Text(en="No decisions are waiting for you.", ar="لا قرارات بانتظارك الآن.")
_SHORTEST_WHY = 40
UNSEEN = Text(
    en="Nothing was decided: open this decision in the console or with `dealix decide`, and approve what you see there.",
    ar="لم يُتخذ قرار: افتح هذا القرار في لوحة التحكم أو بالأمر dealix decide، ووافق على ما تراه هناك.",
)
"""What runs is what the person saw, and a brief shows no payload."""


@dataclass(frozen=True, slots=True)
class Brief:
    """`cards` are the cards of the text in the order of their numbers."""

    text: str
    cards: tuple[UUID, ...]


@dataclass(frozen=True, slots=True)
class ReplyButtons:
    """One card as an interactive message: body and (id, label) of each button."""

    body: str
    buttons: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """What a reply decided."""

    card_id: UUID
    action: str


@dataclass(frozen=True, slots=True)
class Unclear:
    """A reply that decided nothing, and what to answer."""

    answer: Text


def render_brief(cards: Sequence[Card], catalogue: Cards, lang: str = "ar") -> Brief:
    """The brief of a feed: its first cards (three), each with its numbered choices, within 1,024 characters.

    Reasons are shortened until all fits; a card that does not fit even so is left for the next brief, never cut in half.
    """
    shown = list(cards[: catalogue.brief_limit])
    while shown:
        for why in (240, 160, 100, _SHORTEST_WHY, 0):
            text = _brief(shown, why, lang)
            if len(text) <= MAX_BODY:
                return Brief(text, tuple(card.card_id for card in shown))
        shown.pop()
    return Brief(_said(_EMPTY, lang), ())


def _brief(cards: Sequence[Card], why: int, lang: str) -> str:
    blocks = [_said(_HEAD, lang)]
    for number, card in enumerate(cards, 1):
        title, reason = (card.title_ar, card.why_now_ar) if lang == "ar" else (card.title_en, card.why_now_en)
        lines = [f"*{number}.* {title}"]
        if why:
            lines.append(shortened(reason, why))
        labels = [button.label_ar if lang == "ar" else button.label_en for button in card.buttons]
        lines.extend(f"{number}-{choice} {label}" for choice, label in enumerate(labels, 1))
        blocks.append("\n".join(lines))
    example = f"1-{min(2, len(cards[0].buttons))}"
    blocks.append(
        f"للرد: أرسل رقم القرار ثم رقم الخيار، مثل {example}"
        if lang == "ar"
        else f"To answer, send the decision's number and the choice's, such as {example}"
    )
    return "\n\n".join(blocks)


def render_buttons(card: Card, lang: str = "ar") -> ReplyButtons:
    """One card with reply buttons; the id of a button names card and action."""
    arabic = (card.title_ar, card.why_now_ar, card.recommended_action_ar)
    parts = arabic if lang == "ar" else (card.title_en, card.why_now_en, card.recommended_action_en)
    body = shortened(f"*{parts[0]}*\n\n{parts[1]}\n\n{parts[2]}", MAX_BODY)
    labels = tuple(
        (f"{card.card_id}:{button.action}", button.label_ar if lang == "ar" else button.label_en)
        for button in card.buttons
    )
    return ReplyButtons(body, labels)


def shortened(text: str, longest: int) -> str:
    """The text within a length, cut at a word and marked with an ellipsis."""
    if len(text) <= longest:
        return text
    cut = text[: longest - 1]
    head, space, _ = cut.rpartition(" ")
    return f"{(head if space and len(head) > longest // 2 else cut).rstrip('،؛,; ')}…"


def parse_reply(text: str, cards: Sequence[Card]) -> Choice | Unclear:
    """What a reply to a brief or to buttons decides. `cards` are those of the brief, in order.

    Understood: a button's id; "2-1" in Arabic or Latin digits; a choice's number alone when the brief had one card;
    a label, where exactly one button of one card carries it.
    """
    by_button = _button(text, cards)
    if by_button is not None:
        return by_button
    folded = fold(text).strip()
    if pair := _SEPARATED.match(folded):
        return _numbered(int(pair[1]), int(pair[2]), cards)
    if alone := _ALONE.match(folded):
        return _numbered(1, int(alone[1]), cards) if len(cards) == 1 else _which(cards)
    said = words(folded)
    named = [
        Choice(card.card_id, button.action)
        for card in cards
        for button in card.buttons
        if said and said in (words(fold(button.label_ar)), words(fold(button.label_en)))
    ]
    return named[0] if len(named) == 1 else _which(cards)


def _button(text: str, cards: Sequence[Card]) -> Choice | None:
    for card in cards:
        for button in card.buttons:
            if text.strip() == f"{card.card_id}:{button.action}":
                return Choice(card.card_id, button.action)
    return None


def _numbered(number: int, choice: int, cards: Sequence[Card]) -> Choice | Unclear:
    if not 1 <= number <= len(cards) or not 1 <= choice <= len(cards[number - 1].buttons):
        return _which(cards)
    card = cards[number - 1]
    return Choice(card.card_id, card.buttons[choice - 1].action)


def _which(cards: Sequence[Card]) -> Unclear:
    if not cards:
        return Unclear(Text(en="No decision is open in this conversation.", ar="لا يوجد قرار مفتوح في هذه المحادثة."))
    last = f"{len(cards)}-{len(cards[-1].buttons)}"
    return Unclear(
        Text(
            en=f"Your answer wasn't clear, so nothing was decided. Send two numbers, from 1-1 to {last}.",
            ar=f"لم يتضح الرد، فلم يُتخذ أي قرار. أرسل رقمين من 1-1 إلى {last}.",
        )
    )


def _said(text: Text, lang: str) -> str:
    return text.ar if lang == "ar" else text.en
