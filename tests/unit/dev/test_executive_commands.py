"""`dealix executive …` against a hand-written gateway."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

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


def test_a_board_pack_is_shown_by_sections_or_written_as_pdf(tmp_path: Path) -> None:
    section = {
        "en": "Revenue",
        "ar": "الإيرادات",
        "figures": [DISPUTED],
        "lines": ["Gap: +5.00"],
        "lines_ar": ["الفرق: +5.00"],
    }
    pack = {"sections": [section], "top_risks": [RISK], "not_scored": []}
    at = FakeGateway({"GET /board-pack": pack, "GET /board-pack.pdf": httpx.Response(200, content=b"%PDF-1.7")})
    shown = at.types("executive", "board-pack", "--period", "2026-Q3", "--lang", "ar")
    assert shown.exit_code == 0 and "الفرق: +5.00" in shown.output and "مصادر مختلفة." in shown.output
    assert at.asked[0].url.params["period"] == "2026-Q3"
    target = tmp_path / "pack.pdf"
    written = at.types("executive", "board-pack", "--period", "2026-Q3", "--pdf", str(target))
    assert (
        written.exit_code == 0 and target.read_bytes() == b"%PDF-1.7" and at.asked[-1].url.params["period"] == "2026-Q3"
    )


def test_the_map_the_split_and_trends_are_shown() -> None:
    cells = [
        {"likelihood": a, "impact": b, "score": a * b, "count": a * 10 + b} for a in range(1, 6) for b in range(1, 6)
    ]
    touch = {"kind": "call", "title": "First call", "at": "2026-11-22T06:00:00Z", "share": "0.2500"}
    split = {"touchpoints": [touch], "confidence": 0.55, "reasons": [{"en": "Rivals.", "ar": "منافسة."}]}
    point = {"value": None}
    trend = {
        "en": "Revenue",
        "ar": "الإيراد",
        "points": [point, {"value": "1000.00"}],
        "change": None,
        "caution": None,
        "why": None,
    }
    at = FakeGateway({
        "GET /risks/heatmap": {"cells": cells, "items": [RISK], "not_scored": []}, "GET /attribution": split,
        "GET /analytics": {"trends": [trend]},
    })  # fmt: skip
    drawn = at.types("executive", "heatmap")
    assert drawn.exit_code == 0 and drawn.output.index("55") < drawn.output.index("11") and "Not kept" in drawn.output
    told = at.types("executive", "attribution", "0193-1")
    assert (
        told.exit_code == 0 and "25.0%" in told.output and "Confidence 55%" in told.output and "Rivals." in told.output
    )
    over = at.types("executive", "analytics", "--metric", "a", "--metric", "b", "--by", "week")
    assert over.exit_code == 0 and "– 1,000" in over.output and at.asked[-1].url.params.get_list("metric") == ["a", "b"]
    won = FakeGateway({"GET /attribution": {"items": [{"account_name": "R", "title": "t", "channels": [], "confidence": 0.5, "deal_id": "1"}]}})  # fmt: skip
    assert "R: t" in won.types("executive", "attribution").output
