"""A proof pack as a page: six sections, each unit with its entry, an estimate that is called one on the figure itself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.catalogue.work_units import work_units
from libs.contracts.errors import NotFound
from libs.contracts.message import Text, new_id
from libs.contracts.proof_pack import ProofPack, ProofPackRequest, ProvedWork, WaitingApproval, WorkSection
from libs.contracts.work_units import WorkUnit
from services.decision.forecasting.domain.predicting import Chances
from services.decision.proving.domain.impact import of_company, of_deal
from services.decision.proving.domain.onward import Standing, path, recommend
from services.decision.proving.rules import rules
from tests.contracts.examples import example
from tests.unit.decision.test_proof_pack import CHANCES
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio

ID, APPROVAL = new_id(), new_id()
NOW = datetime(2026, 11, 21, 9, tzinfo=UTC)


def _work(unit: str, count: int, seq: int | None) -> ProvedWork:
    rule = work_units().units[unit]
    title = Text(en=rule.en, ar=rule.ar)
    proof = example(WorkUnit).evolve(unit=unit, title=title, count=count, weighted=rule.weight * count, at=NOW, seq=seq)
    return ProvedWork(unit=unit, title=title, count=count, entries=1, weighted=rule.weight * count, proofs=(proof,))


def _section(name: str, *items: ProvedWork) -> WorkSection:
    return WorkSection(
        title=rules().sections[name], count=sum(one.count for one in items), weighted=sum((one.weighted for one in items), Decimal(0)), items=items
    )  # fmt: skip


def pack(chances: Chances | None = CHANCES, **changes: Any) -> ProofPack:
    """A pack of a deal as the plane makes it, from its own rules."""
    waiting = WaitingApproval(
        approval_id=APPROVAL, action_id=new_id(), title=Text(en="Send an e-mail", ar="إرسال بريد"), role="approver", risk="medium",
        due_at=NOW + timedelta(hours=5),
    )  # fmt: skip
    needs = example(ProofPack).needs_approval.evolve(  # type: ignore[attr-defined]  # an example of ProofPack
        title=rules().sections["needs_approval"], items=(waiting,), more=False
    )
    found: ProofPack = example(ProofPack).evolve(
        scope="deal", deal_id=ID, deal_title="توريد أنظمة 2026", account_name="شركة أفق للتجارة", stage=Text(en="Open", ar="مفتوحة"),
        since=NOW - timedelta(days=365), until=NOW,
        created=_section("created", _work("draft_created", 3, 41), _work("followup_created", 1, None)),
        protected=_section("protected", _work("approval_collected", 2, 44)), needs_approval=needs,
        revenue_impact=of_deal(Decimal("80000.00"), "SAR", "open", chances, (), rules()),
        next_action=recommend(Standing(waiting=(waiting,), stage="open"), rules()),
        upgrade_path=path({"opportunity_created": 4, "target_ranked": 9}, rules()), weighted=Decimal("3.7"),
        weights_note=rules().weights_note, unread=(), **changes,
    )  # fmt: skip
    return found


async def test_the_page_has_six_sections_and_each_unit_leads_to_its_entry(site: Site) -> None:
    await enter(site, "auditor")
    site.planes.answer(subjects.PROOF_PACK, pack())
    page = await site.client.get(f"/console/crm/deals/{ID}/proof")
    assert page.status_code == 200, page.text
    places = [page.text.index(f">{title}<") for title in (
        "ما أُنجز", "ما جرت حمايته", "ما ينتظر الموافقة", "الأثر المتوقع على الإيراد", "الخطوة التالية", "مسار الترقية",
    )]  # fmt: skip
    assert places == sorted(places)
    assert "/console/evidence/41" in page.text and "بانتظار الختم" in page.text
    assert f"/console/approvals/{APPROVAL}" in page.text and "توريد أنظمة 2026" in page.text
    (asked,) = site.planes.requests(subjects.PROOF_PACK)
    assert isinstance(asked, ProofPackRequest) and asked.deal_id == ID


async def test_an_estimate_is_called_one_on_the_figure_and_shows_its_basis(site: Site) -> None:
    await enter(site, "auditor")
    site.planes.answer(subjects.PROOF_PACK, pack())
    page = (await site.client.get(f"/console/crm/deals/{ID}/proof")).text
    for said in ("20,000.00", "ر.س · تقدير", "80,000.00", "25.0%", "16,000.00 – 32,000.00", "90 يومًا"):
        assert said in page, said
    assert "الأوزان تقيس حجم العمل، ولا تقيس الإيراد." in page


async def test_without_a_basis_no_figure_is_shown_and_what_could_not_be_read_is_named(site: Site) -> None:
    await enter(site, "auditor")
    site.planes.answer(subjects.PROOF_PACK, pack(None).evolve(unread=(Text(en="History", ar="سجل الصفقات"),)))
    page = (await site.client.get(f"/console/crm/deals/{ID}/proof")).text
    assert 'data-metric="revenue_impact"' not in page and "تعذّرت قراءة سجل الصفقات الآن." in page
    assert "تعذّرت قراءته الآن" in page and "ما ظهر أعلاه لا يشملها" in page


async def test_the_whole_company_has_one_that_stands_beside_the_evidence(site: Site) -> None:
    await enter(site, "auditor")
    whole = pack().evolve(scope="company", deal_id=None, stage=None, revenue_impact=of_company(None, rules()))
    site.planes.answer(subjects.PROOF_PACK, whole)
    page = await site.client.get("/console/proof")
    assert page.status_code == 200 and "المنشأة كلها" in page.text
    assert site.planes.requests(subjects.PROOF_PACK)[-1].deal_id is None


async def test_a_deal_that_is_not_there_has_no_pack(site: Site) -> None:
    await enter(site, "auditor")
    site.planes.answer(subjects.PROOF_PACK, NotFound())
    assert (await site.client.get(f"/console/crm/deals/{ID}/proof")).status_code == 404
