"""Pages of tables and forms, as the browser tests look at them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import get_args

from libs.contracts.catalogue.metrics import metrics
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Note, Section, Tile
from services.gateway.console.urls import url
from services.gateway.console.views import Tab, Tone
from tests.browser.fixture_forecast import forecast_page


def desks(arabic: bool) -> dict[str, DeskPage]:
    """One page with every kind of field, and one with nothing."""

    def say(ar: str, en: str) -> str:
        return ar if arabic else en

    at = datetime(2026, 11, 22, 6, tzinfo=UTC)
    inputs = (
        Input("kind", say("الحق", "Right"), "select", options=(("erasure", say("محو", "Erasure")),)),
        Input("identifier", say("البريد أو الرقم", "Address or number"), ltr=True),
        Input("details", say("ما طلبه", "What was asked"), "long", required=False),
        Input("until", say("حتى", "Until"), "datetime-local", ltr=True),
        Input("password", say("كلمة المرور", "Password"), "password", ltr=True),
        Input("id", "", "hidden", "x"),
        Input("file", say("الدليل", "Evidence"), "file", accept=".pdf"),
    )
    full = Section(
        say("الطلبات", "Requests"), say("ثلاثون يومًا.", "Thirty days."),
        facts=((say("الموعد", "Due"), Cell(at, "moment")),),
        columns=(say("الحق", "Right"), say("النتيجة", "Result"), say("الرقم", "Number"), say("الموعد", "Due")),
        rows=tuple(
            (Cell(say("محو", "Erasure"), href=url("people")), Cell(say("نتيجة", "Result"), tone=tone), Cell("+966 50 123 4567", "ltr"), Cell(at, "moment"))
            for tone in get_args(Tone)
        ),
        forms=(DeskForm("a", url("rights_open"), say("تسجيل", "Record"), inputs), DeskForm("b", url("suppress"), say("محو نهائي", "Erase"), danger=True)),
        links={say("تصدير", "Export"): url("people")},
    )  # fmt: skip
    tabs = (Tab("rights", say("طلبات الحقوق", "Rights requests"), url("people"), True),)
    title = say("الموافقات والحقوق", "Consent and rights")
    numbers, knowledge = _insight(say)
    return {
        "forecast": forecast_page(arabic, ready=True),
        "forecast-empty": forecast_page(arabic, ready=False),
        "numbers": numbers,
        "knowledge": knowledge,
        "desk": DeskPage("people", title, (full,), tabs, say("الأقسام", "Sections"), back=url("approvals"), back_label=say("رجوع", "Back")),
        "desk-empty": DeskPage("people", title, (Section(say("الطلبات", "Requests"), empty=say("لا طلبات.", "No requests.")),), error=say("خطأ", "Error")),
    }  # fmt: skip


def _insight(say: Callable[[str, str], str]) -> tuple[DeskPage, DeskPage]:
    """Figures with and without data, and passages with their sources."""
    values = (("1,250,000", say("ر.س", "SAR")), ("4,310,500", say("ر.س", "SAR")), ("41.7", "%"), ("", ""), ("", ""))
    basis = say("من 12 من أصل 40 سجل، آخر 30 يومًا", "from 12 of 40 records, last 30 days")
    lacking = say("لم تُجمع بياناته بعد: الإنفاق التسويقي.", "Not collected yet: marketing spend.")
    tiles = tuple(
        Tile(
            name, say(rule.ar, rule.en), value, unit, say(rule.definition_ar, rule.definition_en), basis if value else lacking
        )
        for (name, rule), (value, unit) in zip(metrics().items(), values, strict=False)
    )  # fmt: skip
    question = Input("q", say("سؤالك", "Your question"), value=say("كم تكلفة الفندق في الليلة؟", "hotel per night"))
    ask = DeskForm("ask", url("knowledge"), say("ابحث", "Search"), (question,), get=True)
    notes = (
        Note(
            "Travel and expense policy", "Hotels cost up to 650 riyals a night in the kingdom and 900 abroad, breakfast included.",
            say("Hotels · دليل الشركة 2026 · أضيف اليوم", "Hotels · handbook 2026 · added today"),
        ),
        Note(
            say("دليل الموظف", "Staff guide"), "لكل موظف 25 يوم عمل في السنة، ويُطلب الاعتماد قبل أسبوعين من بدايتها.",
            say("الإجازة السنوية · صفحة 4", "Leave · page 4"), url("knowledge"),
        ),
    )  # fmt: skip
    named = (
        ("numbers", "المؤشرات", "Metrics"),
        ("lineage", "أصل الأرقام", "Lineage"),
        ("knowledge", "المعرفة", "Knowledge"),
    )
    tabs = tuple(Tab(key, say(ar, en), url(key), key == "numbers") for key, ar, en in named)
    figures = (Section(say("الإيرادات", "Revenue"), tiles=tiles),)
    answers = (
        Section(say("اسأل مستنداتك", "Ask your documents"), forms=(ask,)),
        Section(say("المقاطع", "Passages"), notes=notes),
    )
    label = say("الأقسام", "Sections")
    return (
        DeskPage("numbers", say("المؤشرات", "Metrics"), figures, tabs, label),
        DeskPage("numbers", say("المعرفة", "Knowledge"), answers, tabs, label),
    )
