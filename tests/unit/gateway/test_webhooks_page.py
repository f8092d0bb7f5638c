"""Webhook subscriptions as a page: shown to whoever sets up, a secret once, refusals beside the form."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.errors import Invalid
from libs.contracts.message import Reason, new_id
from libs.contracts.push import (
    DeliveriesReply,
    Delivery,
    DeliveryState,
    Form,
    Subscription,
    SubscriptionCommand,
    SubscriptionKind,
    SubscriptionMade,
    SubscriptionsReply,
    SubscriptionState,
)
from tests.unit.gateway.fake_site import Site
from tests.unit.gateway.test_console_people import enter

pytestmark = pytest.mark.asyncio
AT = datetime(2026, 11, 21, tzinfo=UTC)
PAGE = "/console/settings/webhooks"
API = "/api/v1/webhook-subscriptions"


def subscription(**changes: Any) -> Subscription:
    base = Subscription(
        subscription_id=new_id(), tenant_id=new_id(), kind=SubscriptionKind.WEBHOOK, url="https://hooks.example/<b>",
        event_types=("approval.*",), form=Form.JSON, state=SubscriptionState.DISABLED, disable_after=10, failures=10,
        last_error=Reason(code="endpoint_500", en="The receiver answered 500.", ar="رد النظام المستقبِل بالرمز 500."), cursor=7,
        waiting=3, created_by="user:1", created_at=AT, version=1,
    )  # fmt: skip
    made: Subscription = base.evolve(**changes)
    return made


def delivery(one: Subscription) -> Delivery:
    return Delivery(
        delivery_id=new_id(), subscription_id=one.subscription_id, message_id="evt_1", event_type="approval.requested", first_seq=6,
        last_seq=6, entries=1, state=DeliveryState.FAILED, attempts=10, mode="live", error=one.last_error, due_at=None, created_at=AT,
    )  # fmt: skip


def told(site: Site, one: Subscription) -> None:
    site.planes.answer(subjects.SUBSCRIPTIONS, SubscriptionsReply(items=(one,)))
    site.planes.answer(subjects.SUBSCRIPTION, one)
    site.planes.answer(subjects.DELIVERIES, DeliveriesReply(items=(delivery(one),)))
    site.planes.answer(subjects.SUBSCRIBE, SubscriptionMade(subscription=one, secret="whsec_once"))
    site.planes.answer(subjects.ROTATE_SECRET, SubscriptionMade(subscription=one, secret="whsec_again"))
    site.planes.answer(subjects.COMMAND_SUBSCRIPTION, one)


@pytest.mark.parametrize(("role", "may"), [("owner", True), ("admin", True), ("auditor", False), ("member", False)])
async def test_whoever_sets_up_sees_and_changes_subscriptions_and_nobody_else(site: Site, role: str, may: bool) -> None:
    one = subscription()
    told(site, one)
    who, path = await site.bearer(role), f"{API}/{one.subscription_id}"
    answers = [
        await site.client.get(API, headers=who),
        await site.client.get(f"{path}/deliveries", headers=who),
        await site.client.post(API, json={"url": one.url, "event_types": ["*"]}, headers=who),
        await site.client.post(f"{path}/resume", headers=who),
        await site.client.post(f"{path}/rotate-secret", headers=who),
        await site.client.delete(path, headers=who),
    ]
    assert [answer.status_code < 300 for answer in answers] == [may] * 6


@pytest.mark.parametrize(
    "wrong",
    [
        {"url": "x"}, {"event_types": []}, {"event_types": ["A B"]}, {"event_types": ["*"] * 51}, {"kind": "mail"},
        {"disable_after": 2}, {"form": "xml"}, {"more": 1}, {"description": "x" * 201},
    ],
)  # fmt: skip
async def test_what_makes_no_sense_never_reaches_execution(site: Site, wrong: dict[str, Any]) -> None:
    body = {"url": "https://hooks.example/in", "event_types": ["*"], **wrong}
    answer = await site.client.post(API, json=body, headers=await site.bearer("owner"))
    assert answer.status_code == 422
    assert not site.planes.requests(subjects.SUBSCRIBE)


async def test_the_page_shows_state_log_and_what_can_be_done(site: Site) -> None:
    one = subscription()
    told(site, one)
    await enter(site, "owner")
    listed = (await site.client.get(PAGE)).text
    assert "معطَّل" in listed
    assert "hooks.example/&lt;b&gt;" in listed
    page = (await site.client.get(f"{PAGE}/{one.subscription_id}")).text
    assert "رد النظام المستقبِل بالرمز 500." in page
    assert "approval.requested" in page
    assert "استئناف" in page
    assert "whsec_" not in page


async def test_a_secret_is_on_the_page_that_made_it(site: Site) -> None:
    one = subscription()
    told(site, one)
    token = await enter(site, "owner")
    form = {"csrf": token, "url": "https://hooks.example/in", "event": "approval.*", "form": "json"}
    assert "whsec_once" in (await site.client.post(f"{PAGE}/add", data=form)).text
    (asked,) = site.planes.requests(subjects.SUBSCRIBE)
    assert (asked.url, asked.event_types, asked.kind) == (
        "https://hooks.example/in",
        ("approval.*",),
        SubscriptionKind.WEBHOOK,
    )
    again = await site.client.post(f"{PAGE}/{one.subscription_id}/secret", data={"csrf": token, "overlap_hours": "24"})
    assert "whsec_again" in again.text
    done = await site.client.post(f"{PAGE}/{one.subscription_id}/command", data={"csrf": token, "command": "resume"})
    assert done.status_code == 303
    assert site.planes.requests(subjects.COMMAND_SUBSCRIPTION)[0].command is SubscriptionCommand.RESUME


async def test_a_refused_address_is_said_beside_the_form(site: Site) -> None:
    told(site, subscription())
    site.planes.answer(subjects.SUBSCRIBE, Invalid("endpoint_private", "Private.", "شبكة خاصة."))
    token = await enter(site, "owner")
    form = {"csrf": token, "url": "https://10.0.0.1/in", "event": "*", "form": "json"}
    answer = await site.client.post(f"{PAGE}/add", data=form)
    assert answer.status_code == 422
    assert "شبكة خاصة." in answer.text
