"""Partners as pages: the board with its buttons, one partner with its score by parts, a brief and a draft."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts import crm, partners, subjects
from libs.contracts.catalogue.cards import cards
from libs.contracts.catalogue.records import RecordKind
from libs.contracts.decision import DraftReview
from libs.contracts.errors import Conflict, Invalid
from libs.contracts.message import Text, new_id
from tests.contracts.examples import example
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio

ID = new_id()


def _board() -> partners.PipelineReply:
    one = example(partners.PipelinePartner).evolve(
        partner_id=ID, name="مدى للمبيعات", type="sales_consultant", type_name=Text(en="Sales consultant", ar="مستشار مبيعات"),
        stage="negotiate", amount="125000.00", fit=78.0, offer="co_branded_diagnostic", age_days=4, version=3,
    )  # fmt: skip
    stages = tuple(
        partners.PipelineStage(
            stage=key, name=Text(en=named.en, ar=named.ar), partners=(one,) if key == "negotiate" else ()
        )
        for key, named in cards().partner_stages.items()
    )
    return partners.PipelineReply(stages=stages)


def _record(**values: Any) -> crm.Record:
    made: crm.Record = example(crm.Record).evolve(
        id=ID, kind=RecordKind.PARTNER, version=3,
        values={"name": "Mada", "name_ar": "مدى للمبيعات", "type": "sales_consultant", "stage": "negotiate", "amount": "125000.00", **values},
    )  # fmt: skip
    return made


def _answers(site: Site) -> None:
    site.planes.answer(subjects.PARTNER_PIPELINE, _board())
    site.planes.answer(subjects.RECORD, _record())
    score = example(partners.PartnerScore).evolve(
        partner_id=ID, fit=78.0, parts={"type": 28.0, "b2b": 20.0, "customers": 0.0, "saudi": 15.0, "region": 10.0, "bonus": 5.0},
        missing=("customers",),
    )  # fmt: skip
    site.planes.answer(subjects.SCORE_PARTNER, score)
    brief = example(partners.MeetingBrief).evolve(
        partner_id=ID, settle=Text(en="Terms in writing", ar="توثيق الشروط"), stage=Text(en="negotiation", ar="التفاوض")
    )
    site.planes.answer(subjects.PARTNER_BRIEF, brief)


async def test_the_board_moves_a_partner_by_the_same_form_that_dragging_sends(site: Site) -> None:
    token = await enter(site, "operator")
    _answers(site)
    page = await site.client.get("/console/partners")
    assert page.status_code == 200, page.text
    assert "مدى للمبيعات" in page.text and "78 / 100" in page.text and "انقل إلى: التهيئة" in page.text
    assert f'data-deal="{ID}"' in page.text and "data-move-form" in page.text and page.text.count("data-stage=") == 8
    site.planes.answer(subjects.CHANGE_RECORD, _record(stage="onboard"))
    form = {"csrf": token, "stage": "onboard", "version": "3"}
    moved = await site.client.post(f"/console/partners/{ID}/move", data=form)
    assert moved.status_code == 303 and moved.headers["location"] == "/console/partners"
    (sent,) = site.planes.requests(subjects.CHANGE_RECORD)
    assert (sent.kind, sent.id, sent.values, sent.version) == (RecordKind.PARTNER, ID, {"stage": "onboard"}, 3)


async def test_a_move_on_an_older_version_is_told_on_the_board(site: Site) -> None:
    token = await enter(site, "operator")
    _answers(site)
    site.planes.answer(subjects.CHANGE_RECORD, Conflict("changed", "It was changed.", "تغيّر السجل."))
    told = await site.client.post(f"/console/partners/{ID}/move", data={"csrf": token, "stage": "exit"})
    assert told.status_code == 409 and "تغيّر السجل." in told.text and 'role="alert"' in told.text


async def test_a_partner_shows_its_parts_what_is_unknown_and_the_brief(site: Site) -> None:
    await enter(site, "operator")
    _answers(site)
    page = await site.client.get(f"/console/partners/{ID}")
    assert page.status_code == 200, page.text
    for said in ("78", "28", "عدد عملائه", "توثيق الشروط", "اكتب مسودة", "125,000.00", "مستشار مبيعات"):
        assert said in page.text, said


async def test_a_draft_is_shown_with_what_its_reviewers_said_and_an_auditor_cannot_ask_for_one(site: Site) -> None:
    token = await enter(site, "operator")
    _answers(site)
    draft = example(partners.PartnerMessageReply).evolve(
        subject="تعاون مقترح",
        body="السلام عليكم",
        reviews=(DraftReview(reviewer="qa_reviewer", verdict="pass", score=90),),
    )
    site.planes.answer(subjects.PARTNER_MESSAGE, draft)
    shown = await site.client.post(f"/console/partners/{ID}/message", data={"csrf": token, "language": "ar"})
    assert shown.status_code == 200 and "تعاون مقترح" in shown.text and "مراجعة الجودة: مقبول" in shown.text
    site.client.cookies.clear()
    token = await enter(site, "auditor")
    page = await site.client.get(f"/console/partners/{ID}")
    assert "اكتب مسودة" not in page.text and "انقل الشريك" not in page.text
    refused = await site.client.post(f"/console/partners/{ID}/message", data={"csrf": token, "language": "ar"})
    assert refused.status_code == 403


async def test_what_was_entered_stays_when_a_partner_is_refused(site: Site) -> None:
    token = await enter(site, "operator")
    form = await site.client.get("/console/partners/add")
    assert form.status_code == 200 and 'name="name_ar"' in form.text
    site.planes.answer(subjects.CREATE_RECORD, Invalid("bad_fields", "The e-mail is not one.", "البريد غير صحيح."))
    sent = {"csrf": token, "name": "Mada", "type": "sales_consultant", "email": "nothing"}
    told = await site.client.post("/console/partners/add", data=sent)
    assert told.status_code == 422 and "البريد غير صحيح." in told.text and 'value="Mada"' in told.text
