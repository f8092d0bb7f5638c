"""Briefs that are sent by themselves: to whom, about what, when, and what came back is answered once."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.briefs import ApprovalBrief, BriefItem, BriefWaitingReply, WaitingApproval
from libs.contracts.business_time import RIYADH
from libs.contracts.errors import CallTimeout, DealixError
from libs.contracts.execution import ActionState, SubmitReply, SubmitResult
from libs.contracts.message import Ok, Reason, new_id
from libs.contracts.subjects import APPROVAL_BRIEF, BRIEF_REPLY, BRIEF_WAITING, OWN_NUMBER, SUBMIT
from services.gateway.briefs.sender import BriefSender
from services.gateway.domain.people import User
from tests.unit.gateway.fake_site import Site, problem
from tests.unit.gateway.test_webhooks import DONE, MOBILE, bind, deliver, message, verified

pytestmark = pytest.mark.asyncio
RULES = "/api/v1/approvals/whatsapp-rules"
HOURS = "/api/v1/me/whatsapp-hours"
SENT = "/api/v1/me/whatsapp-messages"
ALL_DAY = {"opens": "00:00", "closes": "24:00", "days": ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]}


def waits(**changes: Any) -> WaitingApproval:
    base = WaitingApproval(
        approval_id=new_id(), action_type="send_email", risk="low", requested_at=datetime(2026, 11, 22, tzinfo=RIYADH)
    )
    made: WaitingApproval = base.evolve(**changes)
    return made


def planes(site: Site, *waiting: WaitingApproval, error: Reason | None = None) -> None:
    """Trust lets these wait and makes briefs of them; execution takes everything, or refuses as told."""

    def brief(request: Any) -> ApprovalBrief:
        items = tuple(
            BriefItem(number=n, code=f"AB{n}", approval_id=one, payload_hash="p", view_hash="v")
            for n, one in enumerate(request.only[:3], 1)
        )
        at = site.clock()
        return ApprovalBrief(
            brief_id=request.brief_id, tenant_id=site.tenant.tenant_id, person=request.principal.id, text="موجز", items=items, left=0,
            made_at=at, expires_at=at + timedelta(hours=24),
        )  # fmt: skip

    def submit(request: Any) -> SubmitReply:
        state = None if error else ActionState.ACCEPTED
        return SubmitReply(
            results=tuple(SubmitResult(action_id=i.action_id, state=state, error=error) for i in request.items)
        )

    site.planes.answer(BRIEF_WAITING, BriefWaitingReply(items=waiting))
    site.planes.answer(APPROVAL_BRIEF, brief)
    site.planes.answer(OWN_NUMBER, Ok())
    site.planes.answer(SUBMIT, submit)


async def ready(
    site: Site, *, hours: dict[str, Any] | None = ALL_DAY, **rules: Any
) -> tuple[User, str, dict[str, str]]:
    """A person with a verified number and hours, in a tenant that turned briefs on. Where the vendor delivers comes along."""
    path = await bind(site)
    user = await verified(site, path)
    who = {"Authorization": f"Bearer {await site.key(user)}"}
    if hours is not None:
        answer = await site.client.put(HOURS, json=hours, headers=who)
        assert answer.status_code == 200, answer.text
    answer = await site.client.put(RULES, json={"enabled": True, **rules}, headers=await site.bearer("owner"))
    assert answer.status_code == 200, answer.text
    return user, path, who


async def turn(site: Site) -> None:
    sender = BriefSender(site.store, site.gateway.keyring, site.gateway.bus, site.clock)
    for tenant in await site.store.brief_turns(10):
        await sender.turn(tenant)


def sent(site: Site) -> list[dict[str, Any]]:
    return [item.payload for request in site.planes.requests(SUBMIT) for item in request.items]


@pytest.fixture
async def about(site: Site) -> WaitingApproval:
    one = waits()
    planes(site, one)
    return one


async def test_a_brief_goes_by_itself_to_who_decides_as_a_governed_action(site: Site, about: WaitingApproval) -> None:
    user, _, who = await ready(site)
    await turn(site)
    (request,) = site.planes.requests(SUBMIT)
    (item,) = request.items
    assert (item.action_type, request.principal.id, request.principal.kind.value) == (
        "approval_brief_send",
        "system:briefs",
        "system",
    )
    assert (item.payload["to"], item.payload["body"]) == (MOBILE, "موجز")
    (own,) = site.planes.requests(OWN_NUMBER)
    assert (own.number, own.person) == (MOBILE, user.actor)
    assert own.hours is not None
    (shown,) = (await site.client.get(SENT, headers=who)).json()["items"]
    assert (shown["kind"], shown["state"], shown["approvals"]) == ("brief", "sent", [str(about.approval_id)])
    assert shown["message_id"] == str(item.action_id)


async def test_what_was_told_once_is_not_told_again_and_news_wait_a_little(site: Site, about: WaitingApproval) -> None:
    await ready(site)
    await turn(site)
    await turn(site)
    assert len(sent(site)) == 1
    planes(site, about, waits())
    await turn(site)
    assert len(sent(site)) == 1
    site.clock.advance(minutes=20)
    await turn(site)
    assert len(sent(site)) == 2
    assert len(site.planes.requests(APPROVAL_BRIEF)[-1].only) == 1


@pytest.mark.parametrize(
    ("rules", "waiting"),
    [
        ({"enabled": False}, waits()),
        ({"risks": ["low"]}, waits(risk="medium")),
        ({}, waits(risk="high")),
        ({"action_types": ["send_whatsapp"]}, waits()),
    ],
)
async def test_what_the_tenant_did_not_choose_is_not_sent(
    site: Site, rules: dict[str, Any], waiting: WaitingApproval
) -> None:
    planes(site, waiting)
    await ready(site, **rules)
    await turn(site)
    assert sent(site) == []


async def test_without_hours_or_outside_them_nothing_is_sent_and_the_next_hours_bring_it(
    site: Site, about: WaitingApproval
) -> None:
    _, _, who = await ready(site, hours=None)
    await turn(site)
    assert sent(site) == []
    local = site.clock().astimezone(RIYADH)
    later = (local + timedelta(hours=2)).strftime("%H:00")
    await site.client.put(HOURS, json={**ALL_DAY, "opens": later}, headers=who)
    await turn(site)
    assert sent(site) == []
    site.clock.advance(hours=2)
    await turn(site)
    (payload,) = sent(site)
    assert datetime.fromisoformat(payload["not_after"]) > site.clock()


async def test_after_a_person_wrote_free_text_goes_and_later_only_the_template(
    site: Site, about: WaitingApproval
) -> None:
    await ready(site, template="approvals_v2")
    await turn(site)
    assert "template" not in sent(site)[0]
    site.clock.advance(hours=24)
    planes(site, waits())
    await turn(site)
    assert (sent(site)[1]["template"], sent(site)[1]["language"]) == ("approvals_v2", "ar")


async def test_a_signed_reply_is_answered_once_by_a_message(site: Site, about: WaitingApproval) -> None:
    _, path, _ = await ready(site)
    await turn(site)
    site.planes.answer(BRIEF_REPLY, DONE)
    body = message("1", message_id="wamid.same")
    assert (await deliver(site, path, body)).status_code == 200
    assert (await deliver(site, path, body)).status_code == 200
    await turn(site)
    await turn(site)
    answers = [payload["body"] for payload in sent(site)][1:]
    assert answers == [DONE.answer.ar]


async def test_an_answer_outside_the_hours_comes_with_them(site: Site, about: WaitingApproval) -> None:
    _, path, who = await ready(site)
    await site.client.delete(HOURS, headers=who)
    site.planes.answer(BRIEF_REPLY, DONE)
    await deliver(site, path, message("1"))
    await turn(site)
    assert sent(site) == []
    await site.client.put(HOURS, json=ALL_DAY, headers=who)
    planes(site)
    await turn(site)
    assert [payload["body"] for payload in sent(site)] == [DONE.answer.ar]


async def test_a_stranger_gets_no_answer(site: Site, about: WaitingApproval) -> None:
    _, path, _ = await ready(site, hours=None)
    await deliver(site, path, message("1", sender="+966509999999"))
    await turn(site)
    assert sent(site) == []


async def test_a_number_that_was_removed_gets_nothing_that_waited(site: Site, about: WaitingApproval) -> None:
    _, path, who = await ready(site)
    site.planes.answer(BRIEF_REPLY, DONE)
    await deliver(site, path, message("1"))
    await site.client.delete("/api/v1/me/whatsapp-number", headers=who)
    forgotten = site.planes.requests(OWN_NUMBER)[-1]
    assert forgotten.number is None
    await turn(site)
    assert sent(site) == []


async def test_while_a_plane_is_silent_a_brief_waits_and_goes_later_under_its_id(
    site: Site, about: WaitingApproval
) -> None:
    _, _, who = await ready(site)
    site.planes.answer(SUBMIT, CallTimeout("execution.submit.v1"))
    with pytest.raises(DealixError):
        await turn(site)
    (shown,) = (await site.client.get(SENT, headers=who)).json()["items"]
    assert shown["state"] == "waiting"
    planes(site, about)
    await turn(site)
    ids = {item.action_id for request in site.planes.requests(SUBMIT) for item in request.items}
    assert ids == {UUID(shown["message_id"])}


async def test_what_execution_refuses_is_on_record_with_its_reason(site: Site) -> None:
    planes(site, waits(), error=Reason(code="payload_too_large", en="x", ar="x"))
    _, _, who = await ready(site)
    await turn(site)
    (shown,) = (await site.client.get(SENT, headers=who)).json()["items"]
    assert (shown["state"], shown["detail"]) == ("dropped", "payload_too_large")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({**ALL_DAY, "opens": "20:00", "closes": "08:00"}, "hours_reversed"),
        ({**ALL_DAY, "opens": "25:00"}, "invalid"),
        ({**ALL_DAY, "days": []}, "invalid"),
        ({**ALL_DAY, "days": ["someday"]}, "invalid"),
    ],
)
async def test_hours_that_make_no_sense_are_refused(site: Site, body: dict[str, Any], code: str) -> None:
    answer = await site.client.put(HOURS, json=body, headers=await site.bearer("approver"))
    assert answer.status_code == 422
    if code == "hours_reversed":
        problem(answer, 422, code)


@pytest.mark.parametrize(
    "wrong", [{"risks": ["high"]}, {"risks": []}, {"action_types": ["A b"]}, {"template": "x y"}, {"more": 1}]
)
async def test_rules_that_make_no_sense_are_refused(site: Site, wrong: dict[str, Any]) -> None:
    answer = await site.client.put(RULES, json={"enabled": True, **wrong}, headers=await site.bearer("owner"))
    assert answer.status_code == 422


@pytest.mark.parametrize("role", ["approver", "member", "auditor", "operator"])
async def test_who_may_not_set_up_does_not_let_briefs_out(site: Site, role: str) -> None:
    answer = await site.client.put(RULES, json={"enabled": True}, headers=await site.bearer(role))
    assert answer.status_code == 403
