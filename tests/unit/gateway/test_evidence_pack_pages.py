"""An evidence pack from the page of a deal, a flow or a control: asked for as that scope, shown with what it holds, or refused in words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.errors import Conflict
from libs.contracts.flows import Flow, FlowStatus, RevisionsReply
from libs.contracts.message import new_id
from libs.contracts.trust import EvidenceReply, PackContents
from services.gateway.console.routes import packs
from services.trust.ledger.errors import PackTooLarge
from services.trust.scopes.errors import UnknownScope
from tests.contracts.examples import example
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter
from tests.unit.gateway.test_gateway_compliance import detail

pytestmark = pytest.mark.asyncio
PACK = new_id()
PAGE = f"/console/evidence-packs/{PACK}"


def reply(scope: str, **changes: Any) -> EvidenceReply:
    counts = {"entries": 3, "entry.deal.created": 1, "entry.decision": 2, "proofs": 3}
    inside = PackContents(counts=counts, checkpoint=f"41:{'ab' * 32}", cosignatures=0, erased=1)
    made: EvidenceReply = EvidenceReply(
        pack_id=PACK, state="ready", scope=scope, bytes=12345, sha256="cd" * 32, created_at=datetime(2026, 11, 21, 9, tzinfo=UTC),
        created_by="user:1", contents=inside,
    ).evolve(**changes)  # fmt: skip
    return made


async def test_a_button_makes_the_pack_and_leads_to_it(site: Site) -> None:
    token, scope = await enter(site, "auditor"), f"deal:{new_id()}"
    site.planes.answer(subjects.EVIDENCE_EXPORT, reply(scope))
    answer = await site.client.post("/console/evidence-packs", data={"csrf": token, "scope": scope})
    assert (answer.status_code, answer.headers["location"]) == (303, PAGE)
    (asked,) = site.planes.requests(subjects.EVIDENCE_EXPORT)
    assert asked.scope == scope
    assert (await site.client.post("/console/evidence-packs", data={"csrf": "x", "scope": scope})).status_code == 403


@pytest.mark.parametrize(
    ("lang", "words"),
    [
        ("ar", ("نزّل الحزمة", "ولا تثبت خلوّ النطاق من غيرها", "لا شاهد", "قيود مُحيت بناءً على طلب: 1")),
        ("en", ("Download the pack", "not that the scope has no others", "None", "Entries erased on request: 1")),
    ],
)
async def test_a_pack_shows_what_it_holds_and_how_it_is_checked(site: Site, lang: str, words: tuple[str, ...]) -> None:
    await enter(site, "auditor")
    site.client.cookies.set("dealix_lang", lang)
    site.planes.answer(subjects.EVIDENCE, reply("control:PDPL-12"))
    page = await site.client.get(PAGE)
    assert page.status_code == 200, page.text
    for word in (
        *words,
        f"/api/v1/evidence-packs/{PACK}/download",
        packs.CHECK,
        "/console/compliance/controls/PDPL-12",
    ):
        assert word in page.text, word


async def test_a_pack_that_was_erased_offers_no_download(site: Site) -> None:
    await enter(site, "auditor")
    site.planes.answer(subjects.EVIDENCE, reply("deal:1", state="erased", bytes=0, contents=None))
    page = await site.client.get(PAGE)
    assert page.status_code == 200 and "/download" not in page.text and "مُحيت" in page.text


@pytest.mark.parametrize(("error", "status"), [(UnknownScope(), 404), (PackTooLarge(), 422)])
@pytest.mark.parametrize("lang", ["ar", "en"])
async def test_a_refusal_is_said_on_the_page(site: Site, lang: str, error: Any, status: int) -> None:
    token = await enter(site, "auditor")
    site.client.cookies.set("dealix_lang", lang)
    site.planes.answer(subjects.EVIDENCE_EXPORT, error)
    answer = await site.client.post("/console/evidence-packs", data={"csrf": token, "scope": "deal:x/../y"})
    assert answer.status_code == status and (error.ar if lang == "ar" else error.en) in answer.text
    assert "x/../y" not in answer.text.replace('value="deal:x/../y"', ""), "no link is made of what was written"


async def test_the_newest_entries_are_waited_for(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    token, scope = await enter(site, "auditor"), f"flow:{new_id()}"
    monkeypatch.setattr(packs, "PAUSE_SECONDS", 0)
    site.planes.answer(subjects.EVIDENCE_EXPORT, Conflict("checkpoint_pending", "later", "لاحقًا"))
    answer = await site.client.post("/console/evidence-packs", data={"csrf": token, "scope": scope})
    assert answer.status_code == 409 and "لاحقًا" in answer.text
    assert len(site.planes.requests(subjects.EVIDENCE_EXPORT)) == packs.TRIES + 1


async def test_the_pages_of_a_flow_and_a_control_have_the_button_for_whoever_reads_evidence(site: Site) -> None:
    flow = example(Flow).evolve(status=FlowStatus.COMPLETED, waits=(), compensations=(), flow="health_check", state={})
    site.planes.answer(subjects.FLOW, flow)
    site.planes.answer(subjects.FLOW_REVISIONS, RevisionsReply(items=()))
    site.planes.answer(subjects.CONTROL_STATE, detail())
    await enter(site, "auditor")
    shown = await site.client.get(f"/console/flows/{flow.flow_id}")
    assert f'value="flow:{flow.flow_id}"' in shown.text and "أعدّ حزمة أدلة" in shown.text
    shown = await site.client.get("/console/compliance/controls/PDPL-26")
    assert 'value="control:PDPL-26"' in shown.text
    await enter(site, "member")
    assert "evidence-packs" not in (await site.client.get(f"/console/flows/{flow.flow_id}")).text
