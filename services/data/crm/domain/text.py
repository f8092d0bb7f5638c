"""What a record is found by: its words folded as the query's are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from libs.contracts.catalogue.records import RecordKind
from services.data.importing.domain.text import fold

MOST_WORDS = 12
LONGEST_BODY = 4000
_TITLES = {
    RecordKind.ACCOUNT: ("name_ar", "name"),
    RecordKind.CONTACT: ("full_name", "email", "phone"),
    RecordKind.DEAL: ("title",),
    RecordKind.ACTIVITY: ("subject",),
    RecordKind.TASK: ("title",),
    RecordKind.PARTNER: ("name_ar", "name"),
    RecordKind.TICKET: ("title",),
    RecordKind.SPEND: ("title",),
    RecordKind.PAYMENT: ("reference", "paid_on"),
}
_SUBTITLES = {
    RecordKind.ACCOUNT: ("city", "sector"),
    RecordKind.CONTACT: ("title",),
    RecordKind.DEAL: ("amount",),
    RecordKind.ACTIVITY: ("type",),
    RecordKind.TASK: ("status",),
    RecordKind.PARTNER: ("type", "city"),
    RecordKind.TICKET: ("priority", "status"),
    RecordKind.SPEND: ("amount", "spent_on"),
    RecordKind.PAYMENT: ("amount", "paid_on"),
}
_UNSEARCHED = frozenset(
    {"account_id", "contact_id", "lead_id", "deal_id", "partner_id", "opted_out", "version", "currency"}
)


@dataclass(frozen=True, slots=True)
class SearchEntry:
    """A line of a search result, and the folded text behind it."""

    title: str
    subtitle: str
    body: str


def search_entry(kind: RecordKind, values: Mapping[str, Any], custom: Mapping[str, Any], extra: str) -> SearchEntry:
    """The entry of a record. Numbers are found with and without their country code."""
    title = next((str(values[name]) for name in _TITLES[kind] if values.get(name)), "")
    subtitle = " · ".join(str(values[name]) for name in _SUBTITLES[kind] if values.get(name))
    words = [str(value) for name, value in values.items() if value not in (None, "") and name not in _UNSEARCHED]
    words += [str(value) for value in custom.values() if value is not None]
    if phone := values.get("phone"):
        words.append(str(phone).replace("+966", "0"))
    return SearchEntry(title, subtitle, fold_words(" ".join([*words, extra]))[:LONGEST_BODY])


def fold_words(text: str) -> str:
    """Folded, with the Arabic article dropped where a word goes on long enough without it."""
    return " ".join(_bare(word) for word in fold(text).split())


def _bare(word: str) -> str:
    return word[2:] if word.startswith("ال") and len(word) > 4 else word


def search_words(query: str) -> list[str]:
    """The words to look for, `%` and `_` taken out by folding; the longest are kept where there are many."""
    words = list(dict.fromkeys(fold_words(query).split()))
    return sorted(words, key=len, reverse=True)[:MOST_WORDS]
