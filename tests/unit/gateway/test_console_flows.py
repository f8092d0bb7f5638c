"""Flows as pages: what a flow waits for, how it is undone, and buttons only for what its status and the person's role allow."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest

from libs.contracts import subjects
from libs.contracts.flows import (
    CompensationState,
    Flow,
    FlowCompensation,
    FlowRevision,
    FlowsReply,
    FlowStatus,
    FlowVerb,
    FlowWait,
    RevisionsReply,
    WaitKind,
)
from services.execution.flows.errors import Irreversible
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio
ID = UUID("01930000-0000-7000-8000-0000000000f1")
AT = datetime(2026, 11, 22, 6, 0, tzinfo=UTC)
PAGE = f"/console/flows/{ID}"


def flow(status: FlowStatus = FlowStatus.RUNNING, **changes: Any) -> Flow:
    base = Flow(
        flow_id=ID, tenant_id=ID, flow="partner_approval", version=1, status=status, seq=3, state={"partner_name": "وكالة"},
        waits=(FlowWait(step="executive", kind=WaitKind.SIGNAL, signal="executive.decided", roles=("owner",), until=AT),),
        compensations=(FlowCompensation(step="send_terms", undoes=ID, action_type="partner_offer_send", state=CompensationState.RECORDED),),
        started_by="نورة", created_at=AT, updated_at=AT,
    )  # fmt: skip
    made: Flow = base.evolve(**changes)
    return made


def shown(site: Site, found: Flow) -> None:
    history = tuple(
        FlowRevision(revision_id=ID, flow_id=ID, seq=n, at=AT, note=note, step=step, checkpoint={})
        for n, (note, step) in enumerate((("started", ""), ("submitted", "send_terms"), ("waiting", "executive")), 1)
    )
    site.planes.answer(subjects.FLOW, found)
    site.planes.answer(subjects.FLOWS, FlowsReply(items=(found,)))
    site.planes.answer(subjects.FLOW_REVISIONS, RevisionsReply(items=history))


@pytest.mark.parametrize(
    ("lang", "words"),
    [("ar", ("اعتماد شريك", "خبر من خارج النظام")), ("en", ("Partner approval", "News from outside"))],
)
async def test_a_flow_is_listed_by_its_title_with_what_it_waits_for(
    site: Site, lang: str, words: tuple[str, str]
) -> None:
    await enter(site, "operator")
    site.client.cookies.set("dealix_lang", lang)
    shown(site, flow())
    page = await site.client.get("/console/flows?status=running")
    assert page.status_code == 200, page.text
    assert all(word in page.text for word in words) and PAGE in page.text
    assert site.planes.requests(subjects.FLOWS)[-1].status is FlowStatus.RUNNING


async def test_one_flow_shows_its_waits_how_it_is_undone_and_its_history(site: Site) -> None:
    await enter(site, "operator")
    shown(site, flow())
    page = await site.client.get(PAGE)
    assert page.status_code == 200, page.text
    for word in ("executive.decided", "المالك", "إرسال عرض شراكة", "إرسال ورقة الشروط", "قُدّم إجراء", "مسجّلة"):
        assert word in page.text, word


@pytest.mark.parametrize(
    ("status", "offered"),
    [
        (FlowStatus.RUNNING, {"pause", "rollback", "cancel"}),
        (FlowStatus.NEEDS_ATTENTION, {"retry", "skip"}),
        (FlowStatus.COMPLETED, {"rollback"}),
        (FlowStatus.CANCELLED, set()),
    ],
)
async def test_only_what_the_status_allows_has_a_button(site: Site, status: FlowStatus, offered: set[str]) -> None:
    await enter(site, "operator")
    shown(site, flow(status, waits=()))
    page = (await site.client.get(PAGE)).text
    assert {verb.value for verb in FlowVerb if f'name="verb" value="{verb.value}"' in page} - {"fork"} == offered


async def test_a_reader_is_offered_nothing_and_may_do_nothing(site: Site) -> None:
    token = await enter(site, "auditor")
    shown(site, flow())
    page = await site.client.get(PAGE)
    assert page.status_code == 200 and 'name="verb"' not in page.text
    assert (await site.client.post(f"{PAGE}/command", data={"csrf": token, "verb": "cancel"})).status_code == 403
    assert site.planes.requests(subjects.COMMAND_FLOW) == []


async def test_a_command_reaches_execution_and_a_refusal_is_said_on_the_page(site: Site) -> None:
    token = await enter(site, "operator")
    shown(site, flow())
    site.planes.answer(subjects.COMMAND_FLOW, flow(FlowStatus.PAUSED))
    assert (await site.client.post(f"{PAGE}/command", data={"csrf": token, "verb": "pause"})).status_code == 303
    (asked,) = site.planes.requests(subjects.COMMAND_FLOW)
    assert (asked.flow_id, asked.verb) == (ID, FlowVerb.PAUSE)
    site.planes.answer(subjects.COMMAND_FLOW, Irreversible(["send"]))
    refused = await site.client.post(f"{PAGE}/command", data={"csrf": token, "verb": "rollback"})
    assert refused.status_code == 409 and "لا يمكن التراجع" in refused.text


async def test_a_signal_needs_a_json_object(site: Site) -> None:
    token = await enter(site, "operator")
    shown(site, flow())
    site.planes.answer(subjects.SIGNAL_FLOW, flow())
    form = {"csrf": token, "name": "executive.decided", "signal_id": str(ID), "payload": "[1"}
    assert (await site.client.post(f"{PAGE}/signal", data=form)).status_code == 422
    sent = await site.client.post(f"{PAGE}/signal", data={**form, "payload": '{"approved": true}'})
    assert sent.status_code == 303
    (asked,) = site.planes.requests(subjects.SIGNAL_FLOW)
    assert (asked.signal_id, asked.payload) == (ID, {"approved": True})
