"""An offer to a partner as a document: which form its fit earns, its clauses, what stays open, and the letter."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import get_args

import yaml
from pydantic import model_validator

from libs.contracts.errors import Conflict
from libs.contracts.message import Message, Text
from libs.contracts.partners import OfferClause, OfferKind
from services.decision.partners.domain.fit import Fit

FILE = Path(__file__).parents[1] / "offers.yaml"
LANGUAGES = ("ar", "en")


class ClauseText(Message):
    """`open` stands in its place where what it says is not agreed yet."""

    title: Text
    en: str
    ar: str
    open: Text | None = None


class KindText(Message):
    en: str
    ar: str
    clauses: tuple[str, ...]


class LetterText(Message):
    subject: str
    body: str


class OfferTexts(Message):
    version: str
    least_fit: dict[OfferKind, float]
    kinds: dict[OfferKind, KindText]
    clauses: dict[str, ClauseText]
    letters: dict[str, LetterText]

    @model_validator(mode="after")
    def _whole(self) -> OfferTexts:
        if not set(self.kinds) == set(self.least_fit) == set(get_args(OfferKind)) or set(self.letters) != set(
            LANGUAGES
        ):
            raise ValueError("every form of offer has its text and its least fit, and both languages have a letter")
        if not {name for kind in self.kinds.values() for name in kind.clauses} <= set(self.clauses):
            raise ValueError("a form of offer names a clause that there is not")
        return self


class NoOfferFits(Conflict):
    def __init__(self, fit: float) -> None:
        super().__init__(
            "no_offer_fits", f"The partner's fit is {fit:g} of 100: no offer suits it yet. Record what is missing first.",
            f"ملاءمة الشريك {fit:g} من 100، ولا عرض يناسبه بعد. أكمل بياناته الناقصة أولًا.",
        )  # fmt: skip


class OfferNotEarned(Conflict):
    def __init__(self, named: Text, fit: float, least: float) -> None:
        super().__init__(
            "offer_not_earned", f"{named.en} takes a fit of {least:g}; the partner's is {fit:g}.",
            f"يتطلب عرض «{named.ar}» ملاءمة {least:g}، وملاءمة الشريك {fit:g}.",
        )  # fmt: skip


class WhiteLabelNotEarned(Conflict):
    def __init__(self, pilots: int) -> None:
        super().__init__(
            "white_label_not_earned", f"White label takes {pilots} paid pilots and introductions that were made.",
            f"يتطلب التقديم باسم الشريك {pilots} تجارب مدفوعة وتعريفات فعلية.",
        )  # fmt: skip


@dataclass(frozen=True)
class Terms:
    """What the clauses are filled with, in the letter's language."""

    partner: Text
    sender: Text
    person: str
    email: str
    commission: Decimal | None
    until: date


@dataclass(frozen=True)
class Document:
    kind: OfferKind
    title: Text
    clauses: tuple[OfferClause, ...]
    open_points: tuple[Text, ...]
    subject: str
    body: str


def form_of(fit: Fit, wanted: OfferKind | None, pilots: int) -> OfferKind:
    """The form that is offered: the wanted one where the fit earns it, else the best that it earns short of white label.

    Raises NoOfferFits, OfferNotEarned, WhiteLabelNotEarned (`pilots` are how many it takes).
    """
    texts = offer_texts()
    if wanted is None:
        earned: list[OfferKind] = [
            one for one, least in texts.least_fit.items() if fit.score >= least and one != "white_label"
        ]
        if not earned:
            raise NoOfferFits(fit.score)
        return earned[-1]
    if fit.score < texts.least_fit[wanted]:
        named = texts.kinds[wanted]
        raise OfferNotEarned(Text(en=named.en, ar=named.ar), fit.score, texts.least_fit[wanted])
    if wanted == "white_label" and not fit.white_label:
        raise WhiteLabelNotEarned(pilots)
    return wanted


def document(kind: OfferKind, language: str, terms: Terms) -> Document:
    """The offer in both languages and its letter in one."""
    texts = offer_texts()
    form = texts.kinds[kind]
    title = Text(en=form.en, ar=form.ar)
    clauses, left = list[OfferClause](), list[Text]()
    for key in form.clauses:
        one = texts.clauses[key]
        if one.open is not None and terms.commission is None:
            left.append(one.open)
            continue
        said = Text(en=one.en.format_map(_filled(terms, "en")), ar=one.ar.format_map(_filled(terms, "ar")))
        clauses.append(OfferClause(number=len(clauses) + 1, key=key, title=one.title, text=said))
    lines = [f"{one.number}. {_in(one.title, language)}: {_in(one.text, language)}" for one in clauses]
    lines += [f"- {_in(one, language)}" for one in left]
    letter = texts.letters[language]
    fill = {
        **_filled(terms, language), "kind": _in(title, language) if language == "ar" else title.en.lower(), "clauses": "\n".join(lines),
        "person": terms.person, "email": terms.email,
    }  # fmt: skip
    return Document(
        kind, title, tuple(clauses), tuple(left), letter.subject.format_map(fill), letter.body.format_map(fill)
    )


def _filled(terms: Terms, language: str) -> dict[str, str]:
    return {
        "partner": _in(terms.partner, language), "sender": _in(terms.sender, language), "until": terms.until.isoformat(),
        "commission": "" if terms.commission is None else f"{terms.commission.normalize():f}",
    }  # fmt: skip


def _in(text: Text, language: str) -> str:
    return text.ar if language == "ar" else text.en


@cache
def offer_texts() -> OfferTexts:
    """Raises pydantic.ValidationError when the file does not fit."""
    return OfferTexts.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
