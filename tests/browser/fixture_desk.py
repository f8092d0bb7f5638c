"""Pages of tables and forms, as the browser tests look at them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import get_args

from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.urls import url
from services.gateway.console.views import Tab, Tone


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
    return {
        "desk": DeskPage("people", title, (full,), tabs, say("الأقسام", "Sections"), back=url("approvals"), back_label=say("رجوع", "Back")),
        "desk-empty": DeskPage("people", title, (Section(say("الطلبات", "Requests"), empty=say("لا طلبات.", "No requests.")),), error=say("خطأ", "Error")),
    }  # fmt: skip
