"""Company and personal names across spellings and scripts: true pairs and false ones must not overlap."""

import csv
from itertools import combinations
from pathlib import Path

import pytest

from services.data.importing.domain.names import (
    block_keys,
    company_form,
    may_reach,
    may_resemble,
    person_form,
    similarity,
)

LABELLED = Path(__file__).resolve().parents[3] / "dev" / "evaluations" / "dedupe.csv"

SAME_COMPANY = [
    ("شركة نجد للتقنية المحدودة", "Najd Technology Co. Ltd"),
    ("مؤسسة الجزيرة للمقاولات", "Al Jazirah Contracting Est."),
    ("شركة آفاق الخليج التجارية", "Afaq Al-Khaleej Trading"),
    ("شركة رواد للحلول", "Rowad Solutions LLC"),
    ("شركة النخلة الذهبية للتجارة", "Golden Palm Trading"),
    ("مجموعة الفهد القابضة", "Al Fahad Holding Group"),
    ("شركة المستقبل", "Future Company"),
    ("مصنع الوادي للبلاستيك", "Al Wadi Plastic Factory"),
    ("شركة سما الرياض للاستثمار (ذ.م.م)", "Sama Riyadh Investment W.L.L"),
    ("مؤسسة بيان للاستشارات", "Bayan Consulting"),
    ("شركة نجد للتقنية", "شركه نجد التقنيه ذ.م.م"),
    ("Al Jazirah Trading", "Aljazeera Trading Co."),
    ("Al-Othman Logistics", "Al Othman Logistics Company"),
    ("شركة الدرعية اللوجستية", "شركة الدرعيه لوجستيات"),
]
OTHER_COMPANY = [
    ("Riyadh Trading", "Riyadh Contracting"),
    ("شركة البيان", "شركة البنيان"),
    ("Jeddah Foods", "Jubail Foods"),
    ("شركة نجد للتقنية", "شركة نجد للمقاولات"),
    ("شركة نجد للتقنية", "Najd Medical"),
    ("Saudi Water", "Saudi Steel"),
    ("شركة الخليج للتجارة", "شركة الخليج للنقل"),
    ("Al Noor Medical Center", "Al Noor Trading"),
    ("شركة محمد العتيبي للتجارة", "شركة محمد الشهري للتجارة"),
    ("مجموعة السلام", "مجموعة السلامة الطبية"),
    ("First Technology", "Smart Technology"),
]


@pytest.mark.parametrize(("left", "right"), SAME_COMPANY)
def test_one_company_in_two_spellings_is_similar_and_meets_in_a_block(left: str, right: str) -> None:
    a, b = company_form(left), company_form(right)
    assert similarity(a, b) >= 88
    assert may_resemble([a], [b])
    assert block_keys([a]) & block_keys([b])


@pytest.mark.parametrize(("left", "right"), OTHER_COMPANY)
def test_two_companies_with_a_word_in_common_are_not_similar(left: str, right: str) -> None:
    assert similarity(company_form(left), company_form(right)) < 88


def test_across_scripts_a_name_alone_never_reaches_certainty() -> None:
    for left, right in SAME_COMPANY:
        a, b = company_form(left), company_form(right)
        if a.arabic != b.arabic:
            assert similarity(a, b) < 100


def test_similarity_has_no_direction() -> None:
    for left, right in SAME_COMPANY + OTHER_COMPANY:
        a, b = company_form(left), company_form(right)
        assert similarity(a, b) == pytest.approx(similarity(b, a))


@pytest.mark.parametrize("name", ["شركة", "Co. Ltd", "و", "المحدودة", "123", "—", "&"])
def test_a_name_of_legal_words_only_still_has_a_form(name: str) -> None:
    form = company_form(name)
    assert similarity(form, form) in (0.0, 100.0)


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("محمد العتيبي", "Mohammed Al-Otaibi"), ("عبد الله القحطاني", "Abdullah Alqahtani"), ("م. سارة الشهري", "Sarah Al Shehri"),
        ("Ahmed Ali", "Ahmad Ali"), ("فهد الدوسري", "Fahad Aldosari"), ("أ. نورة الحربى", "نوره الحربي"), ("خالد بن سعد", "Khaled Saad"),
    ],
)  # fmt: skip
def test_one_person_in_two_spellings_is_the_same(left: str, right: str) -> None:
    assert similarity(person_form(left), person_form(right)) >= 92


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("محمد العتيبي", "أحمد العتيبي"),
        ("Omar Saleh", "Amr Saleh"),
        ("علي منصور", "علي منصوري"),
        ("سعد الحربي", "سعيد الحربي"),
        ("Khalid Saad", "Khalid Saeed Omar"),
    ],
)
def test_relatives_and_namesakes_are_not_the_same_person(left: str, right: str) -> None:
    assert similarity(person_form(left), person_form(right)) < 92


def test_a_company_is_known_by_names_that_share_nothing() -> None:
    assert similarity(company_form("STC"), company_form("شركة الاتصالات السعودية")) >= 88
    assert similarity(company_form("Zain KSA"), company_form("شركة الاتصالات السعودية")) < 60


def test_a_word_with_a_slip_counts_for_its_meaning_and_never_as_the_same_name() -> None:
    slipped = similarity(company_form("Badr Medical"), company_form("مؤسسة بدر اطبية"))
    assert 80 <= slipped < 97
    assert similarity(company_form("الطيبة للتجارة"), company_form("الطبية للتجارة")) < 100


def test_the_parts_of_a_family_name_are_one_name() -> None:
    assert person_form("Yusuf Ba Wazir").key == person_form("Yusuf Bawazir").key
    assert person_form("سعد با وزير").key == person_form("سعد باوزير").key


def test_the_bound_before_comparing_never_turns_away_what_is_alike() -> None:
    lines = csv.DictReader(LABELLED.open(encoding="utf-8"))
    names = sorted({name for line in lines for name in (line["company"], line["company_ar"]) if name})
    forms = [company_form(name) for name in [*names[::7], "نخبة 12 للتجارة", "Nukhba 12 Trading", "A B 7", "A B 8"]]
    turned_away = 0
    for a, b in combinations(forms, 2):
        if not may_reach((a,), (b,), 88):
            assert similarity(a, b) < 88, (a.key, b.key)
            turned_away += 1
    assert turned_away > len(forms)  # else it would be no use
