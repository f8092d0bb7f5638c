"""Saudi Compliance as pages: what nobody assessed never looks kept, and forms ask trust for exactly what they say."""

from __future__ import annotations

import pytest

from libs.contracts import subjects
from libs.contracts.catalogue.controls import controls
from libs.contracts.compliance import ControlResult, ControlStanding
from services.gateway.files import MemoryFiles
from services.trust.compliance.errors import EVIDENCE_TYPE, BadEvidence
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter
from tests.unit.gateway.test_gateway_compliance import WHY, detail, matrix, standing

pytestmark = pytest.mark.asyncio
ATTEST = "/console/compliance/controls/PDPL-12/attest"


@pytest.mark.parametrize(
    ("lang", "kept", "not_assessed"), [("ar", "مستوفى", "لم يُقيَّم"), ("en", "Kept", "Not assessed")]
)
async def test_what_nobody_assessed_never_looks_kept(site: Site, lang: str, kept: str, not_assessed: str) -> None:
    await enter(site, "compliance_officer")
    site.client.cookies.set("dealix_lang", lang)
    unknown = ControlStanding(control=controls()["PDPL-12"], result=ControlResult.UNKNOWN, why=WHY)
    site.planes.answer(subjects.CONTROL_MATRIX, matrix().evolve(items=(standing(), unknown)))
    page = await site.client.get("/console/compliance?show=unknown")
    assert page.status_code == 200, page.text
    table = page.text.partition("<tbody>")[2].partition("</tbody>")[0]
    assert "PDPL-12" in table and not_assessed in table
    assert "chip-low" not in table and kept not in table and "PDPL-26" not in table


async def test_an_auditor_looks_and_is_offered_no_form(site: Site) -> None:
    token = await enter(site, "auditor")
    site.planes.answer(subjects.CONTROL_MATRIX, matrix())
    site.planes.answer(subjects.CONTROL_STATE, detail())
    for path in ("/console/compliance", "/console/compliance/controls/PDPL-26"):
        page = await site.client.get(path)
        assert page.status_code == 200 and "/console/compliance/run" not in page.text and "/attest" not in page.text
    refused = await site.client.post("/console/compliance/run", data={"csrf": token})
    assert refused.status_code == 403
    assert site.planes.requests(subjects.RUN_COMPLIANCE) == []


async def test_a_duty_of_law_offers_no_way_to_set_it_aside(site: Site) -> None:
    await enter(site, "compliance_officer")
    for control, offered in (("PDPL-26", False), ("LI-8-2", True)):
        site.planes.answer(subjects.CONTROL_STATE, detail().evolve(state=standing(control)))
        page = await site.client.get(f"/console/compliance/controls/{control}")
        assert ('name="applies"' in page.text) is offered


async def test_evidence_handed_in_reaches_trust_and_a_refusal_is_said_on_the_page(site: Site) -> None:
    token = await enter(site, "compliance_officer")
    site.gateway.evidence = MemoryFiles()
    site.planes.answer(subjects.CONTROL_STATE, detail())
    site.planes.answer(subjects.ATTEST, detail())
    form = {"csrf": token, "statement": "The approved policy", "valid_until": "2027-01-01"}
    file = {"file": ("p.pdf", b"%PDF-1.7", "application/pdf")}
    assert (await site.client.post(ATTEST, data=form, files=file)).status_code == 303
    (asked,) = site.planes.requests(subjects.ATTEST)
    assert (asked.control_id, asked.applies, asked.file_name) == ("PDPL-12", True, "p.pdf")
    site.planes.answer(subjects.ATTEST, BadEvidence(*EVIDENCE_TYPE))
    refused = await site.client.post(ATTEST, data=form, files=file)
    assert refused.status_code == 422 and "يطابق محتواه اسمه" in refused.text
    assert (await site.client.post(ATTEST, data={**form, "csrf": "x"}, files=file)).status_code == 403
