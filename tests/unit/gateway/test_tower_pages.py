"""The service tower as pages: every service, what the proof has earned, and what shows whether one works."""

from __future__ import annotations

import pytest

from libs.contracts import subjects
from libs.contracts.catalogue.services import services
from libs.contracts.errors import CallTimeout
from tests.unit.gateway import test_proof_pages as proof_rows
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.filled_site import fill as fill_site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio


def fill(site: Site) -> None:
    """Metrics with values, an own offer, and a company whose proof reaches the first steps."""
    fill_site(site)
    company = proof_rows.pack(None).evolve(scope="company", deal_id=None, stage=None)
    site.planes.answer(subjects.PROOF_PACK, company)


async def test_every_service_is_listed_with_its_metric_s_value_and_the_next_step_with_what_it_takes(site: Site) -> None:
    await enter(site, "auditor")
    fill(site)
    page = (await site.client.get("/console/services")).text
    for key, rule in services().items():
        assert f"/console/services/{key}" in page and rule.name.ar in page, key
    for said in ("أنظمة إدارة المبيعات", "الخدمة التالية", "ما ينقصها", "مجاني", "2,999 – 9,999", "خلال يومين", "125,000,000.0%"):  # fmt: skip
        assert said in page, said
    assert "/console/settings/tenant" not in page, "whoever may not change the offer is not sent there"


async def test_silent_planes_hide_no_service(site: Site) -> None:
    await enter(site, "owner")
    page = await site.client.get("/console/services")
    assert page.status_code == 200 and page.text.count("/console/services/") >= len(services())
    assert "تعذّرت قراءة ما أُثبت" in page.text and "تعذّرت قراءته" in page.text and "اكتب ما تبيعه" in page.text
    fill(site)
    site.planes.answer(subjects.TENANT, CallTimeout("data.tenant.v1"))
    assert "لم يُكتب بعد" in (await site.client.get("/console/services")).text


async def test_one_service_says_what_it_delivers_what_it_needs_and_how_it_is_judged(site: Site) -> None:
    await enter(site, "member")
    fill(site)
    page = (await site.client.get("/console/services/growth_os")).text
    rule = services()["growth_os"]
    for text in (*rule.deliverables, *rule.inputs, *rule.workflow):
        assert text.ar in page, text.ar
    assert "/console/numbers/metrics/revenue_influenced" in page and 'role="tooltip"' in page
    assert "التالية في البرج" in page and "التالية في البرج" not in (await site.client.get(f"/console/services/{list(services())[-1]}")).text  # fmt: skip
    assert (await site.client.get("/console/services/astrology")).status_code == 404
