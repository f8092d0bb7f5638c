"""Folding and consonant keys of Arabic and Latin words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.data.importing.domain.text import clean, fold, skeleton

WORDS = st.text(alphabet="ابتثجحخدذرزسشصضطظعغفقكلمنهويةىأإآؤئءًٌَُِّْـ٠١٢٣ abcxyzABCÉéßİ-_.()\u200f\u202a", max_size=40)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("شـركة الأَمَل", "شركه الامل"),
        ("مستشفى", "مستشفي"),
        ("الإحساء", "الاحساء"),
        ("٠١٢٣", "0123"),
        ("Société Générale", "societe  generale"),
        ("شركة\u200f نجد", "شركة نجد"),
        ("ﻻ", "لا"),
    ],
)
def test_spellings_of_the_same_words_fold_to_one_form(left: str, right: str) -> None:
    assert fold(left) == fold(right)


@given(WORDS)
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=60))
def test_folding_any_text_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text(max_size=60))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("arabic", "latin"),
    [
        ("نجد", "najd"), ("العتيبي", "otaibi"), ("الجزيرة", "jazirah"), ("الخليج", "khaleej"), ("محمد", "mohammed"),
        ("القحطاني", "qahtani"), ("فيصل", "faisal"), ("عبدالله", "abdullah"), ("هيثم", "haitham"), ("مكة", "makkah"),
    ],
)  # fmt: skip
def test_a_word_and_its_romanisation_share_their_consonants(arabic: str, latin: str) -> None:
    assert skeleton(fold(arabic)) == skeleton(fold(latin))


def test_different_words_keep_different_consonants() -> None:
    assert len({skeleton(fold(word)) for word in ("نجد", "رواد", "الجزيرة", "الخليج", "القحطاني", "الدوسري")}) == 6
