"""`dealix executive …` against a hand-written gateway."""

from __future__ import annotations

from typing import Any

from tests.unit.dev.fake_gateway import FakeGateway

FIGURE = {
    "metric": "win_rate", "en": "Win rate", "ar": "نسبة الفوز", "unit": "share", "value": "0.4000", "rows": 5, "counted": 5, "caution": None,
    "why_en": "", "why_ar": "",
}  # fmt: skip
DISPUTED = {
    **FIGURE, "metric": "revenue_actual", "en": "Revenue", "ar": "الإيراد", "unit": "SAR", "value": "1000.00",
    "caution": {"en": "Sources disagree.", "ar": "مصادر مختلفة."},
}  # fmt: skip
EMPTY = {**FIGURE, "en": "Time to win", "value": None, "why_en": "No records.", "why_ar": "لا سجلات."}
RISK = {
    "title": {"en": "Not kept: consent", "ar": "ضابط مخالف: الموافقة"}, "basis": {"en": "It is so now.", "ar": "قائم الآن."},
    "likelihood_level": 5, "impact_level": 4, "score": 20,
}  # fmt: skip
PLAN = {
    "since": "2026-10-31T21:00:00Z", "until": "2026-11-30T21:00:00Z", "actual": "90.00", "expected": "300.00", "low": "100.00", "high": "500.00",
    "why": None,
}  # fmt: skip
ROOM: dict[str, Any] = {
    "kpis": [FIGURE, DISPUTED, EMPTY], "plan": PLAN, "top_risks": [RISK], "contradictions": None, "silent": ["contradictions"],
    "not_scored": [{"source": "deal", "why": {"en": "6 months are needed.", "ar": "يلزم 6 أشهر."}}],
    "decisions": [{"title": {"en": "Send a proposal", "ar": "إرسال عرض"}, "due_at": "2026-11-22T06:00:00Z", "approval_id": "0193-1"}],
}  # fmt: skip


def test_the_room_shows_figures_with_what_disputes_them_and_says_what_it_could_not_read() -> None:
    shown = FakeGateway({"GET /executive-room": ROOM}).types("executive", "room")
    assert shown.exit_code == 0, shown.output
    for said in ("40.0%", "1000.00", "Sources disagree.", "No records.", "Not kept: consent", "6 months are needed.", "0193-1", "did not answer: contradictions"):  # fmt: skip
        assert said in shown.output, said
    assert "2026-11: 90.00 SAR so far, 300.00 forecast (100.00 to 500.00)" in shown.output
    arabic = FakeGateway({"GET /executive-room": ROOM}).types("executive", "room", "--lang", "ar")
    for said in ("مصادر مختلفة.", "ضابط مخالف", "يلزم 6 أشهر.", "لا سجلات."):
        assert said in arabic.output, said


def test_a_month_without_a_forecast_says_so() -> None:
    plan = {**PLAN, "expected": None, "why": {"en": "Nothing was forecast.", "ar": "لم يصدر توقع."}}
    room = {**ROOM, "plan": plan, "top_risks": [], "not_scored": [], "silent": []}
    shown = FakeGateway({"GET /executive-room": room}).types("executive", "room")
    assert "Nothing was forecast." in shown.output and "No risk could be found" in shown.output
    assert FakeGateway({"GET /executive-room": {**room, "plan": None}}).types("executive", "room").exit_code == 0
