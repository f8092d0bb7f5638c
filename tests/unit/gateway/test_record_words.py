"""Records and imports in a reader's words: no key, no half a word, no number that turns round."""

from __future__ import annotations

from typing import Any

from libs.contracts import crm, data
from libs.contracts.catalogue.records import FieldType, RecordKind
from libs.contracts.message import new_id
from services.gateway.console import present_crm, present_imports
from tests.contracts.examples import example
from tests.unit.gateway.filled_site import record

OWN = (
    crm.CustomField(kind=RecordKind.DEAL, key="tender", type=FieldType.CHOICE, en="Tender", ar="منافسة", choices=("عامة", "محدودة")),
    crm.CustomField(kind=RecordKind.DEAL, key="bond", type=FieldType.MONEY, en="Bond", ar="الضمان"),
    crm.CustomField(kind=RecordKind.DEAL, key="opens", type=FieldType.MOMENT, en="Opens", ar="الفتح"),
)  # fmt: skip


def deal(**custom: Any) -> crm.Record:
    made: crm.Record = record(RecordKind.DEAL, new_id(), title="توريد", stage="open").evolve(custom=custom)
    return made


def test_the_tenants_own_fields_are_filled_in_and_shown_by_their_type() -> None:
    held = {"tender": "عامة", "bond": "25000.00", "opens": "2026-12-01T06:00:00Z"}
    inputs = present_crm.own_entries("ar", OWN, held)
    assert [(one.name, one.type, one.value) for one in inputs] == [
        ("custom.tender", "choice", "عامة"), ("custom.bond", "text", "25000.00"), ("custom.opens", "datetime-local", "2026-12-01T09:00"),
    ]  # fmt: skip
    assert inputs[0].choices == (("عامة", "عامة"), ("محدودة", "محدودة")) and inputs[1].ltr
    shown = {fact.label: fact.kind for fact in present_crm.facts("ar", deal(**held), OWN)}
    assert shown["الضمان"] == "money" and shown["منافسة"] == "name" and "الفتح" in shown
    assert not {"الضمان", "منافسة"} & {fact.label for fact in present_crm.facts("ar", deal(tender=None, bond=""), OWN)}


def test_a_lead_is_called_by_whom_it_is_and_then_by_what_they_want() -> None:
    one = record(RecordKind.LEAD, new_id(), interest="Sales automation").evolve(names={"account_id": "عيادات ابتسامة"})
    assert present_crm.heading("ar", one) == "عيادات ابتسامة · Sales automation"
    assert present_crm.heading("ar", deal()) == "توريد"


def test_a_timeline_says_what_a_file_filled_in_and_where_it_came_from() -> None:
    happened = example(crm.Happening).evolve(
        what="enriched", kind="account", title="", detail={"before": {"employees": None}, "after": {"employees": 55}, "reason": "public_register r.csv:7"},
    )  # fmt: skip
    shown = present_crm.event("ar", happened)
    assert (
        "عدد الموظفين" in shown.detail
        and "55" in shown.detail
        and "سجل عام" in shown.detail
        and "r.csv:7" in shown.detail
    )
    drafted = example(crm.Happening).evolve(what="draft", kind="draft", title="whatsapp", detail={})
    assert present_crm.event("ar", drafted).title == "كُتبت مسودة · واتساب"


def test_a_hit_names_places_and_amounts_as_the_reader_does() -> None:
    account = crm.Hit(kind=RecordKind.ACCOUNT, id=new_id(), title="x", subtitle="Riyadh · تقنية", score=1.0)
    assert present_crm.hit("ar", account).note == ("الرياض", "تقنية")
    amount = crm.Hit(kind=RecordKind.DEAL, id=new_id(), title="x", subtitle="450000.00", score=1.0)
    assert present_crm.hit("ar", amount).note == ("450,000.00 ر.س",)


def test_a_refused_row_is_shown_by_the_names_of_its_columns_and_in_whole_cells() -> None:
    row = data.RejectedRow(
        row_number=7,
        field="full_name",
        code="missing",
        en="It is missing.",
        ar="ناقص.",
        raw=("شركة دانات", "x" * 111, "later"),
    )
    (shown,) = present_imports.rejects("ar", data.RejectsReply(header=("a", "b", "c"), rows=(row,)))
    assert shown.field == "الاسم" and shown.value == "شركة دانات …" and shown.reason == "ناقص."
    assert (
        present_imports.column_word("ar", "company") == "المنشأة"
        and present_imports.column_word("en", "source") == "Source"
    )


def test_a_time_of_ones_own_field_comes_back_as_the_moment_that_was_shown() -> None:
    """A field of a form has no time zone: what it shows and what it sends is Riyadh's."""
    (shown,) = (one.value for one in present_crm.own_entries("ar", OWN[2:], {"opens": "2026-12-01T06:00:00Z"}))
    assert present_crm.own_value(shown) == "2026-12-01T09:00+03:00"
    assert present_crm.own_value("عامة") == "عامة" and present_crm.own_value("") is None
