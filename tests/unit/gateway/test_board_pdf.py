"""The board pack as PDF: both languages, every section, and what disputes a figure beside it."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from pypdf import PdfReader

from libs.contracts.board_pack import BoardPack, PackSection
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.executive import NotScored, Risk, RoomFigure, Source
from libs.contracts.message import Provenance, Text, new_id
from services.decision.memos.domain.made import rules
from services.gateway.board_pdf import board_pdf

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
CAUTION = Text(
    en="Sources disagree about this figure, and nobody has decided yet.", ar="مصادر مختلفة في هذا الرقم، ولم يُحسم بعد."
)


def figure(name: str, value: str | None) -> RoomFigure:
    rule = metrics()[name]
    return RoomFigure(
        metric=name, unit=rule.unit, value=None if value is None else Decimal(value), rows=9, as_of=NOW, en=rule.en, ar=rule.ar,
        definition_en=rule.definition_en, definition_ar=rule.definition_ar, since=NOW - timedelta(days=30), until=NOW, counted=7, excluded=2,
        why_en="" if value else "There are no records to compute it from.", why_ar="" if value else "لا توجد سجلات لحسابه.",
        caution=CAUTION if name == "revenue_actual" else None,
    )  # fmt: skip


def pack() -> BoardPack:
    risk = Risk(
        source=Source.CONTROL, id="PDPL-1", title=Text(en="Not kept: consent on record", ar="ضابط مخالف: توثيق الموافقة"),
        basis=Text(en="10 of 40 records fail.", ar="10 من 40 سجل مخالف."), likelihood=0.25, likelihood_level=2, impact_level=5, observed_at=NOW,
    )  # fmt: skip
    sections = tuple(
        PackSection(
            key=one["key"], en=one["en"], ar=one["ar"], lines=("Against the forecast: +1,250.00.",), lines_ar=("مقارنة بالمتوقع: +1,250.00.",),
            figures=tuple(figure(name, None if name == "velocity" else "0.4" if metrics()[name].unit == "share" else "1234567.50") for name in one["figures"]),
        )
        for one in rules()["board"]
    )  # fmt: skip
    origin = Provenance(
        generated_at=NOW, generated_by="board_pack", model_provider="local", model_id="engine=rules", prompt_version="1", confidence=0.62,
        freshness_hours=1.0,
    )  # fmt: skip
    return BoardPack(
        tenant_id=new_id(), provenance=origin, period="2026-Q4", sections=sections, revenue_actual=Decimal("1234567.50"), revenue_forecast=None,
        key_risks=(risk.title.en,), key_risks_ar=(risk.title.ar,), decisions_required=("Send a proposal (due 2026-11-22 09:00)",),
        decisions_required_ar=("إرسال عرض سعر (موعده 2026-11-22 09:00)",), since=NOW - timedelta(days=50), until=NOW, so_far=True, made_at=NOW,
        top_risks=(risk,), not_scored=(NotScored(source=Source.DEAL, why=Text(en="6 months are needed.", ar="يلزم 6 أشهر.")),),
    )  # fmt: skip


def words(body: bytes) -> str:
    return " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(body)).pages).split())


def test_both_languages_hold_every_section_and_what_disputes_a_figure_stands_beside_it() -> None:
    tenant = Text(en="Ofoq", ar="أفق")
    body = board_pdf(pack(), tenant)
    assert body == board_pdf(pack(), tenant), "the same contents give the same bytes"
    said = words(board_pdf(pack(), tenant, ("en",)))
    for one in rules()["board"]:
        assert one["en"] in said, one
    expected_ones = (
        "1,234,567.50 SAR", "40.0 %", "7 / 9", "Sources disagree about this figure", "10 of 40 records fail.", "No data", "Send a proposal", "62%",
        "The period is not over", "6 months are needed.",
    )  # fmt: skip
    for expected in expected_ones:
        assert expected in said, expected
    both, arabic = PdfReader(io.BytesIO(body)), PdfReader(io.BytesIO(board_pdf(pack(), tenant, ("ar",))))
    assert len(both.pages) > len(arabic.pages) and "1,234,567.50" in arabic.pages[0].extract_text()
