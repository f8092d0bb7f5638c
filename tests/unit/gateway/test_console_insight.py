"""Numbers and sources as pages: definitions beside every figure, "no data" instead of zero, sources beside every passage."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import pytest

from libs.contracts import knowledge, subjects
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.errors import Invalid, NotFound
from libs.contracts.lineage import LineageEdge, LineageNode, LineageReply, LineageRequest, LineageTitle, LineageWay
from libs.contracts.message import Plane, new_id
from libs.contracts.metrics import MetricGet, MetricValue
from libs.contracts.quality import QualityPoint, QualityReply, QualityStanding, QualityState
from services.gateway.files import MemoryFiles
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio


def _values(site: Site, *, known: str) -> Callable[[MetricGet], MetricValue]:
    def answer(request: MetricGet) -> MetricValue:
        rule = metrics()[request.name]
        said = rule.model_dump(
            include={"name", "unit", "en", "ar", "definition_en", "definition_ar", "freshness_hours"}
        )
        found = {"value": Decimal("0.25"), "rows": 8, "counted": 8} if request.name == known else {"value": None}
        return MetricValue(
            **said, **found, no_data=request.name != known, why_en="There are no records.", why_ar="لا توجد سجلات.",
            since=site.clock() - timedelta(days=30), until=site.clock(), as_of=site.clock(),
        )  # fmt: skip

    return answer


async def test_every_metric_is_shown_with_its_definition_and_none_without_data_looks_like_zero(site: Site) -> None:
    await enter(site, "operator")
    for call in subjects.METRICS.values():
        site.planes.answer(call, _values(site, known="win_rate"))
    page = await site.client.get("/console/numbers")
    assert page.status_code == 200, page.text
    for name, rule in metrics().items():
        assert f'id="definition-{name}"' in page.text and rule.definition_ar in page.text
    assert page.text.count('class="unknown"') == len(metrics()) - 1
    assert ">25.0</bdi>" in page.text and ">0</bdi>" not in page.text
    asked = {request.name for call in subjects.METRICS.values() for request in site.planes.requests(call)}
    assert asked == {name for name, rule in metrics().items() if rule.sql}


async def test_a_plane_that_does_not_answer_takes_only_its_own_figures_with_it(site: Site) -> None:
    await enter(site, "operator")
    for plane, call in subjects.METRICS.items():
        silent = Invalid("x", "No.", "لا.")
        site.planes.answer(call, silent if plane is Plane.TRUST else _values(site, known="win_rate"))
    page = await site.client.get("/console/numbers")
    assert page.status_code == 200 and "تعذّرت قراءته الآن" in page.text and ">25.0</bdi>" in page.text


async def test_a_check_without_rows_never_looks_passed(site: Site) -> None:
    token = await enter(site, "operator")
    point = QualityPoint(at=site.clock(), rows=4, failed=1, share=0.75)
    base = {"dimension": "completeness", "table": "deals", "en": "Valued", "ar": "له قيمة", "goal": 0.9}
    lead = str(new_id())
    items = (
        QualityStanding(name="a", **base, state=QualityState.BELOW, latest=point, sample=(lead,)),
        QualityStanding(name="b", **base, state=QualityState.NO_DATA),
    )
    site.planes.answer(subjects.DATA_QUALITY, QualityReply(items=items, counts={"below": 1, "no_data": 1}))
    page = await site.client.get("/console/numbers/quality")
    assert page.status_code == 200, page.text
    assert "75.0%" in page.text and "دون المستهدف" in page.text and "chip-low" not in page.text
    assert f"kind=deal&amp;id_={lead}" in page.text
    await site.client.post("/console/numbers/quality/run", data={"csrf": token})
    assert site.planes.requests(subjects.DATA_QUALITY)[-1].now is True


async def test_lineage_is_asked_for_by_a_form_and_shown_both_ways(site: Site) -> None:
    await enter(site, "owner")
    card, lead = LineageNode(kind="card", id=str(new_id())), LineageNode(kind="lead", id=str(new_id()))

    def answer(request: LineageRequest) -> LineageReply:
        known = {card: "بطاقة متابعة", lead: "شركة الأفق"}
        edge = LineageEdge(cause=lead, effect=card, how="shown_on")
        met = (edge.effect if request.way is LineageWay.CAME_FROM else edge.cause) in request.nodes
        titles = tuple(LineageTitle(node=n, en=known[n], ar=known[n]) for n in request.nodes if n in known)
        return LineageReply(edges=(edge,) if met else (), titles=titles)

    for call in subjects.LINEAGE.values():
        site.planes.answer(call, answer)
    page = await site.client.get(f"/console/numbers/lineage?kind=card&id_={card.id}")
    assert page.status_code == 200, page.text
    assert "شركة الأفق" in page.text and "عُرض في" in page.text and "لم ينتج عنه شيء بعد" in page.text
    wrong = await site.client.get("/console/numbers/lineage?kind=card&id_=nothing")
    assert wrong.status_code == 422 and 'role="alert"' in wrong.text


async def test_passages_come_with_their_source_and_a_refused_document_says_why(site: Site) -> None:
    token = await enter(site, "operator")
    site.gateway.files = MemoryFiles()
    passage = knowledge.Passage(
        chunk_id=new_id(), document_id=new_id(), title="سياسة السفر", file_name="t.md", source="دليل 2026", heading="الفنادق", page=3,
        position=0, text="حد الفندق 650 ريالًا.", score=0.1, found_by=("words",), added_at=site.clock(), age_hours=50,
    )  # fmt: skip
    site.planes.answer(subjects.DOCUMENTS, knowledge.DocumentsReply(items=()))
    site.planes.answer(subjects.SEARCH_KNOWLEDGE, knowledge.KnowledgeReply(items=(passage,), model_id="m"))
    page = await site.client.get("/console/numbers/knowledge", params={"q": "فندق"})
    assert page.status_code == 200, page.text
    for said in ("سياسة السفر", "الفنادق · صفحة 3 · دليل 2026", "حد الفندق 650"):
        assert said in page.text
    long = await site.client.get("/console/numbers/knowledge", params={"q": "س" * 2000})
    assert long.status_code == 422 and 'role="alert"' in long.text
    site.planes.answer(subjects.ADD_DOCUMENT, Invalid("document_script", "It holds a script.", "فيه برنامج نصي."))
    refused = await site.client.post(
        "/console/numbers/knowledge/documents", data={"csrf": token}, files={"file": ("a.html", b"<script>")}
    )
    assert refused.status_code == 422 and "فيه برنامج نصي" in refused.text
    site.planes.answer(subjects.DROP_DOCUMENT, NotFound())
    gone = await site.client.post("/console/numbers/knowledge/erase", data={"csrf": token, "document": str(new_id())})
    assert gone.status_code == 404


async def test_an_auditor_looks_and_is_offered_no_form_that_changes(site: Site) -> None:
    token = await enter(site, "auditor")
    site.planes.answer(subjects.DOCUMENTS, knowledge.DocumentsReply(items=()))
    site.planes.answer(subjects.DATA_QUALITY, QualityReply(items=(), counts={}))
    for path, form in (("knowledge", "knowledge/documents"), ("quality", "quality/run")):
        page = await site.client.get(f"/console/numbers/{path}")
        assert page.status_code == 200 and f'action="/console/numbers/{form}"' not in page.text
    refused = await site.client.post("/console/numbers/quality/run", data={"csrf": token})
    assert refused.status_code == 403 and not any(r.now for r in site.planes.requests(subjects.DATA_QUALITY))
