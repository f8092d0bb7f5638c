"""The executive room and the risk heat map in the console: what disputes a figure stands on it, and each part fails alone."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from html import unescape
from typing import Any
from uuid import UUID

import pytest

from libs.contracts import subjects
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.executive import (
    Dispute,
    ExecutiveRoom,
    Gap,
    NotScored,
    OpenContradiction,
    PendingDecision,
    Plan,
    Risk,
    RoomFigure,
    Source,
)
from libs.contracts.forecasts import Ahead, Part
from libs.contracts.lineage import LineageNode, LineageReply, LineageTitle
from libs.contracts.message import Plane, Provenance, Text
from libs.contracts.risk_map import HeatCell, RiskMap
from services.decision.memos.domain.made import rules
from services.gateway.console.routes.contradictions import SEVERITIES
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)
MONTH = datetime(2026, 10, 31, 21, tzinfo=UTC)
DISPUTE, APPROVAL, DEAL = UUID(int=71), UUID(int=72), UUID(int=73)
CAUTION = Text(
    en="Sources disagree about this figure, and nobody has decided yet.", ar="مصادر مختلفة في هذا الرقم، ولم يُحسم بعد."
)
VALUES = {
    "revenue_actual": "1284500.00",
    "pipeline_value": "3910000.00",
    "win_rate": "0.3871",
    "velocity": None,
    "contradictions_open": "2",
}
ORIGIN = Provenance(
    generated_at=NOW, generated_by="executive_room", model_provider="local", model_id="engine=rules", prompt_version="1", confidence=0.7,
    freshness_hours=0.0,
)  # fmt: skip


def figure(name: str) -> RoomFigure:
    rule, value = metrics()[name], VALUES.get(name, "0.9200" if metrics()[name].unit == "share" else "4")
    dispute = Dispute(
        contradiction_id=DISPUTE, about=f"metric:{name}", severity="high", acknowledged=False, opened_at=NOW
    )
    disputed = (dispute,) if name == "pipeline_value" else ()
    return RoomFigure(
        metric=name, unit=rule.unit, value=None if value is None else Decimal(value), rows=48, as_of=NOW, en=rule.en, ar=rule.ar,
        definition_en=rule.definition_en, definition_ar=rule.definition_ar, since=NOW - timedelta(days=30), until=NOW, counted=31, excluded=2,
        why_en="" if value else "There are no records to compute it from in this period.", why_ar="" if value else "لا توجد سجلات لحسابه في هذه الفترة.",
        disputed=disputed, caution=CAUTION if disputed else None,
    )  # fmt: skip


def risks() -> tuple[Risk, ...]:
    return (
        Risk(
            source=Source.CONTROL, id="PDPL-CONSENT-01", title=Text(en="Not kept: consent on record", ar="ضابط مخالف: توثيق الموافقة"),
            basis=Text(en="30 of 40 records fail.", ar="30 من 40 سجل مخالف."), likelihood=0.75, likelihood_level=4, impact_level=5,
            severity="critical", observed_at=NOW,
        ),
        Risk(
            source=Source.DEAL, id=str(DEAL), amount=Decimal("740000.00"), observed_at=NOW, likelihood=0.69, likelihood_level=4, impact_level=4,
            title=Text(en="May not be won in 90 days: Rimal: expansion", ar="قد لا تُكسب خلال 90 يومًا: رمال: توسعة"),
            basis=Text(en="31% of deals at its stage were won within 90 days.", ar="كُسب 31% من صفقات هذه المرحلة خلال 90 يومًا."),
        ),
        Risk(
            source=Source.CUSTOMER, id=str(UUID(int=74)), amount=Decimal("96000.00"), observed_at=NOW, likelihood=0.41, likelihood_level=3,
            impact_level=3, title=Text(en="May not buy again: Ofoq", ar="قد لا يعود للشراء: أفق"),
            basis=Text(en="Silent for 140 days.", ar="بلا شراء منذ 140 يومًا."),
        ),
    )  # fmt: skip


def room(**changes: Any) -> ExecutiveRoom:
    names = [*dict.fromkeys((*rules()["kpis"], "approvals_waiting", "contradictions_open"))]
    ahead = Ahead(
        since=MONTH + timedelta(days=30), until=MONTH + timedelta(days=61), horizon=1, expected=Decimal("610000.00"), low=Decimal("380000.00"),
        high=Decimal("850000.00"), from_deals=Decimal("310000.00"), weight=0.6,
    )  # fmt: skip
    cause = Part(key="slipped", en="Not closed in the month", ar="لم تُغلق خلال الشهر", expected=Decimal(90_000), actual=Decimal(0), variance=Decimal(-90_000), deals=3)  # fmt: skip
    gap = Gap(
        since=MONTH - timedelta(days=31), until=MONTH, expected=Decimal("500000.00"), actual=Decimal("410000.00"), variance=Decimal("-90000.00"),
        causes=(cause,),
    )  # fmt: skip
    plan = Plan(
        metric="revenue_actual", since=MONTH, until=MONTH + timedelta(days=30), actual=Decimal("342000.00"), expected=Decimal("520000.00"),
        low=Decimal("300000.00"), high=Decimal("700000.00"), next_month=ahead, last=gap,
    )  # fmt: skip
    decision = PendingDecision(
        approval_id=APPROVAL, title=Text(en="Send a proposal to Rimal", ar="إرسال عرض سعر إلى رمال"), risk="high", role="approver",
        value_sar="240000.00", due_at=NOW + timedelta(hours=3), late=False,
    )  # fmt: skip
    opened = OpenContradiction(
        contradiction_id=DISPUTE, subject="metric:pipeline_value", kind="metric", severity="high", acknowledged=False, opened_at=NOW
    )  # fmt: skip
    top = risks()
    made = ExecutiveRoom(
        tenant_id=UUID(int=1), provenance=ORIGIN, kpis=tuple(figure(name) for name in names), risks=tuple(one.title.en for one in top),
        risks_ar=tuple(one.title.ar for one in top), top_risks=top, pending_decisions=4, contradictions=2, as_of=NOW,
        not_scored=(NotScored(source=Source.APPROVAL, why=Text(en="It could not be read just now.", ar="تعذّرت قراءته الآن.")),),
        decisions=(decision, decision.evolve(late=True, due_at=NOW - timedelta(hours=1))), open_contradictions=(opened,), plan=plan,
    )  # fmt: skip
    changed: ExecutiveRoom = made.evolve(**changes)
    return changed


def risk_map() -> RiskMap:
    counts = {(4, 5): 1, (4, 4): 1, (3, 3): 1}
    places = [(a, b) for a in range(5, 0, -1) for b in range(5, 0, -1)]
    cells = tuple(
        HeatCell.model_validate({"likelihood": a, "impact": b, "score": a * b, "count": counts.get((a, b), 0)}) for a, b in places
    )  # fmt: skip
    return RiskMap(cells=cells, total=3, items=risks(), not_scored=(), scored_at=NOW, provenance=ORIGIN)


@pytest.mark.asyncio
async def test_a_disputed_figure_says_so_and_leads_to_its_rows_and_to_the_contradiction(site: Site) -> None:
    await enter(site, "owner")
    site.planes.answer(subjects.EXECUTIVE_ROOM, room())
    page = await site.client.get("/console/executive")
    assert page.status_code == 200, page.text
    tile = re.search(r'data-metric="pipeline_value">(.*?)role="tooltip"', page.text, re.DOTALL)
    assert (
        tile
        and CAUTION.ar in tile[1]
        and f"/console/contradictions/{DISPUTE}" in tile[1]
        and "/console/numbers/metrics/pipeline_value" in tile[1]
    )
    assert page.text.count("tile-caution") == 1, "and no other figure"
    shown = (
        "3,910,000", "342,000", "610,000", "-90,000.00", "38.7", "20 / 25", f"/console/approvals/{APPROVAL}", f"/console/crm/deals/{DEAL}",
        "فات الموعد", "board-pack.pdf",
    )  # fmt: skip
    for said in shown:
        assert said in page.text, said
    assert "لا توجد سجلات لحسابه" in page.text and 'href="/console/executive"' in page.text


@pytest.mark.asyncio
async def test_a_part_that_did_not_answer_is_named_and_the_rest_stands(site: Site) -> None:
    await enter(site, "auditor")
    nothing: dict[str, Any] = {"top_risks": (), "risks": (), "risks_ar": (), "decisions": (), "open_contradictions": ()}
    site.planes.answer(subjects.EXECUTIVE_ROOM, room(plan=None, silent=("plan",), contradictions=None, **nothing))
    page = await site.client.get("/console/executive")
    assert page.status_code == 200 and "تعذّرت قراءة: الخطة" in page.text and "3,910,000" in page.text
    assert "لا قرارات معلّقة" in page.text and "لا مخاطر فيما أمكنت قراءته" in page.text


@pytest.mark.asyncio
async def test_a_cell_of_the_map_opens_its_risks_and_an_empty_one_is_no_link(site: Site) -> None:
    await enter(site, "operator")
    site.planes.answer(subjects.RISK_MAP, risk_map())
    page = await site.client.get("/console/executive/risks", params={"likelihood": 4, "impact": 5})
    assert page.status_code == 200, page.text
    asked = site.planes.requests(subjects.RISK_MAP)[-1]
    assert (asked.likelihood, asked.impact) == (4, 5)
    assert page.text.count("heat-chosen") == 1 and page.text.count('class="heat-none"') == 22
    assert page.text.count('<a href="/console/executive/risks?likelihood=') == 3 and "الأثر جسيم: 1" in page.text
    assert (await site.client.get("/console/executive/risks", params={"impact": 9})).status_code == 422


@pytest.mark.asyncio
async def test_a_list_of_risks_that_is_longer_than_a_page_goes_on(site: Site) -> None:
    await enter(site, "operator")
    site.planes.answer(subjects.RISK_MAP, risk_map().evolve(next_cursor="50"))
    page = await site.client.get("/console/executive/risks", params={"likelihood": 4})
    more = re.search(r'href="(/console/executive/risks\?[^"]*cursor=50[^"]*)"', page.text)
    assert more, page.text
    await site.client.get(unescape(more[1]))
    asked = site.planes.requests(subjects.RISK_MAP)[-1]
    assert (asked.likelihood, asked.page.cursor) == (4, "50")


@pytest.mark.asyncio
async def test_a_contradicted_record_goes_by_its_name_and_its_severity_by_the_word_of_its_own_page(site: Site) -> None:
    await enter(site, "owner")
    title = LineageTitle(node=LineageNode(kind="deal", id=str(DEAL)), en="Rimal: expansion", ar="رمال: توسعة")
    site.planes.answer(subjects.LINEAGE[Plane.DATA], LineageReply(edges=(), titles=(title,)))
    opened = OpenContradiction(
        contradiction_id=DISPUTE,
        subject=f"deal:{DEAL}",
        kind="value",
        severity="high",
        acknowledged=False,
        opened_at=NOW,
    )
    site.planes.answer(subjects.EXECUTIVE_ROOM, room(open_contradictions=(opened,)))
    page = await site.client.get("/console/executive")
    row = re.search(
        rf'<a href="/console/contradictions/{DISPUTE}"><bdi>رمال: توسعة</bdi></a>(.*?)</tr>', page.text, re.DOTALL
    )
    assert row and SEVERITIES["high"][0] in row[1], page.text
