"""Actions as pages: what nobody knows is settled in two steps, and what would be undone is seen before it is asked for."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.execution import Action, ActionsReply, ActionState
from libs.contracts.message import new_id
from libs.contracts.settling import Compensating, CompensationPlan
from libs.contracts.trust import ResourceRef
from services.execution.settling.errors import NoCompensation, NotUnknown
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio
FOUND = "وجدت الموعد في تقويم العميل."


def action(site: Site, state: ActionState = ActionState.SUCCEEDED, **changes: Any) -> Action:
    base = Action(
        action_id=new_id(), tenant_id=site.tenant.tenant_id, action_type="calendar_insert_event", action_class=None, mode=None, state=state,
        resource=ResourceRef(type="lead", id="l-1"), payload={"title": "<script>لقاء"}, requested_by="user:7",
    )  # fmt: skip
    made: Action = base.evolve(**changes)
    return made


def planned(site: Site, one: Action, **changes: Any) -> CompensationPlan:
    base = CompensationPlan(
        action=one, action_type="calendar_delete_event", payload={"compensates": str(one.action_id)}
    )
    made: CompensationPlan = base.evolve(**changes)
    site.planes.answer(subjects.COMPENSATION, made)
    site.planes.answer(subjects.ACTION, one)
    return made


async def test_actions_are_listed_by_what_people_call_them_and_their_state(site: Site) -> None:
    await enter(site, "operator")
    one = action(site, ActionState.UNKNOWN)
    site.planes.answer(subjects.ACTIONS, ActionsReply(items=(one,)))
    for lang, words in (
        ("ar", ("إضافة موعد", "نتيجته غير معروفة")),
        ("en", ("Add a calendar event", "outcome unknown")),
    ):
        site.client.cookies.set("dealix_lang", lang)
        page = await site.client.get("/console/actions?state=unknown")
        assert page.status_code == 200, page.text
        assert all(word in page.text for word in words)
        assert "calendar_insert_event" not in page.text
    assert site.planes.requests(subjects.ACTIONS)[-1].state is ActionState.UNKNOWN


async def test_an_unknown_outcome_is_settled_only_once_it_was_confirmed(site: Site) -> None:
    token = await enter(site, "operator")
    one = action(site, ActionState.UNKNOWN)
    planned(site, one)
    site.planes.answer(subjects.SETTLE_UNKNOWN, one.evolve(state=ActionState.SUCCEEDED))
    path = f"/console/actions/{one.action_id}/settle"
    assert path in (await site.client.get(f"/console/actions/{one.action_id}")).text
    assert (await site.client.get(path)).status_code == 200
    short = await site.client.post(path, data={"csrf": token, "outcome": "succeeded", "evidence": "نعم"})
    assert short.status_code == 422
    given = {"csrf": token, "outcome": "succeeded", "evidence": FOUND}
    asked = await site.client.post(path, data=given)
    assert asked.status_code == 200 and FOUND in asked.text and 'name="confirmed"' in asked.text
    assert site.planes.requests(subjects.SETTLE_UNKNOWN) == []
    done = await site.client.post(path, data={**given, "confirmed": "yes"})
    assert done.status_code == 303
    (request,) = site.planes.requests(subjects.SETTLE_UNKNOWN)
    assert (request.outcome.value, request.evidence) == ("succeeded", FOUND)


async def test_what_was_settled_meanwhile_is_said_and_nothing_is_lost(site: Site) -> None:
    token = await enter(site, "operator")
    one = action(site, ActionState.UNKNOWN)
    planned(site, one)
    site.planes.answer(subjects.SETTLE_UNKNOWN, NotUnknown("succeeded"))
    data = {"csrf": token, "outcome": "not_sent", "evidence": FOUND, "confirmed": "yes"}
    late = await site.client.post(f"/console/actions/{one.action_id}/settle", data=data)
    assert late.status_code == 409
    assert "لا تُحسم إلا نتيجة غير معروفة" in late.text and FOUND in late.text


async def test_what_would_be_undone_is_seen_first_and_needs_a_reason(site: Site) -> None:
    token = await enter(site, "operator")
    one = action(site)
    planned(site, one)
    undoing = new_id()
    begun = Compensating(
        action_id=one.action_id,
        compensating_action_id=undoing,
        action_type="calendar_delete_event",
        state=ActionState.ACCEPTED,
    )
    site.planes.answer(subjects.COMPENSATE, begun)
    path = f"/console/actions/{one.action_id}/undo"
    for lang, words in (
        ("ar", ("حذف موعد", "إضافة موعد", "عدد المعتمدين")),
        ("en", ("Delete a calendar event", "Approvers")),
    ):
        site.client.cookies.set("dealix_lang", lang)
        shown = await site.client.get(path)
        assert shown.status_code == 200 and all(word in shown.text for word in words), shown.text
        assert "<script>لقاء" not in shown.text and str(one.action_id) in shown.text
    assert (await site.client.post(path, data={"csrf": token, "reason": " "})).status_code == 422
    assert site.planes.requests(subjects.COMPENSATE) == []
    done = await site.client.post(path, data={"csrf": token, "reason": "أُلغي اللقاء"})
    assert (done.status_code, done.headers["location"]) == (303, f"/console/actions/{undoing}")


async def test_what_nothing_undoes_offers_no_form(site: Site) -> None:
    await enter(site, "operator")
    one, why = action(site), NoCompensation("send_email")
    planned(site, one, refused={"code": why.code, "en": why.en, "ar": why.ar}, action_type="", payload={})
    page = await site.client.get(f"/console/actions/{one.action_id}/undo")
    assert page.status_code == 200 and why.ar in page.text
    assert 'name="reason"' not in page.text


async def test_who_only_looks_is_offered_nothing(site: Site) -> None:
    token = await enter(site, "auditor")
    one = action(site, ActionState.UNKNOWN)
    planned(site, one)
    assert "/settle" not in (await site.client.get(f"/console/actions/{one.action_id}")).text
    data = {"csrf": token, "outcome": "succeeded", "evidence": FOUND, "confirmed": "yes"}
    assert (await site.client.post(f"/console/actions/{one.action_id}/settle", data=data)).status_code == 403
    assert site.planes.requests(subjects.SETTLE_UNKNOWN) == []
