"""What people call what happens: entries of the ledger, their parts, and nothing without both languages."""

from __future__ import annotations

import re

import pytest

from libs.contracts.catalogue.words import effect_title, entry_title, joined, word, words

ARABIC = re.compile(r"[\u0600-\u06ff]")


@pytest.mark.parametrize(
    ("kind", "en", "ar"),
    [
        ("approval.approved", "Approved", "تمت الموافقة"),
        ("dead_letter.aged", "Dead letter still open", "رسالة متعذّرة ما زالت مفتوحة"),
        ("flow.rolled_back", "Flow: Rolled back", "مسار: تم التراجع"),
        ("deal.moved", "Deal moved to another stage", "نقل إلى مرحلة أخرى: صفقة"),
        ("a_plugins.kind", "a_plugins.kind", "a_plugins.kind"),
    ],
)
def test_an_entry_is_called_by_its_kind_or_its_parts(kind: str, en: str, ar: str) -> None:
    assert (entry_title(kind).en, entry_title(kind).ar) == (en, ar)


def test_every_word_is_in_both_languages() -> None:
    for group, entries in words().items():
        for value, text in entries.items():
            assert ARABIC.search(text.ar), (group, value)
            assert text.en and not ARABIC.search(text.en), (group, value)


def test_names_stand_beside_each_other() -> None:
    both = joined(effect_title("slack_notify"), word("action_state", "succeeded"))
    assert (both.en, both.ar) == ("Notify the team · succeeded", "تنبيه الفريق · نُفّذ")
