"""Webhooks and the SIEM's trail on real servers: signed, tried again, disabled, resumed, replayed, and never to a private network."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from libs.contracts.message import Plane, Principal, PrincipalKind
from libs.contracts.subjects import APPROVAL, APPROVE
from libs.contracts.trust import ApprovalRequest, ApproveRequest
from libs.runtime.plane import RunningPlane
from libs.runtime.settings import load
from services.execution.app import build
from tests.live.receiver import Receiver, receiver
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]
API = "/api/v1"
HOOKS = f"{API}/webhook-subscriptions"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    patch = pytest.MonkeyPatch()
    patch.setenv("DEALIX_CONNECTOR_PRIVATE_HOSTS", "127.0.0.1")
    patch.setattr("services.trust.authorize.FLAGS_FRESH_SECONDS", 0.0)
    # What waits for days waits for a moment here; how long it is has tests of its own.
    patch.setattr("services.execution.push.domain.schedule.WAITS", (0.05,) * 9)
    patch.setattr("services.execution.push.engine.LOOK_SECONDS", 0.1)
    try:
        async with served(tmp_path_factory.mktemp("push")) as made:
            yield made
    finally:
        patch.undo()


@pytest_asyncio.fixture(loop_scope="module")
async def to() -> AsyncIterator[Receiver]:
    async with receiver() as made:
        yield made


async def tenant(site: Served) -> UUID:
    return UUID((await site.http.get(f"{API}/me")).json()["tenant_id"])


async def subscribe(site: Served, to: Receiver, *events: str, **more: Any) -> tuple[str, str]:
    """A new subscription's id and secret."""
    body = {"url": to.url, "event_types": list(events) or ["webhook.test"], **more}
    answer = await site.http.post(HOOKS, json=body)
    assert answer.status_code == 201, answer.text
    made = answer.json()
    return made["subscription"]["subscription_id"], made["secret"]


async def shown(site: Served, subscription: str) -> dict[str, Any]:
    found: dict[str, Any] = (await site.http.get(f"{HOOKS}/{subscription}")).json()
    return found


async def log(site: Served, subscription: str, **query: Any) -> list[dict[str, Any]]:
    answer = await site.http.get(f"{HOOKS}/{subscription}/deliveries", params={"limit": 200, **query})
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


async def flag(site: Served) -> None:
    """Something happens that is on the ledger: a rate is set."""
    answer = await site.http.put(f"{API}/connectors/slack/settings", json={"per_minute": 7})
    assert answer.status_code == 200, answer.text


async def live(site: Served) -> None:
    """The connector acts for real, once two people have approved it."""
    asked = await site.http.post(f"{API}/connectors/webhook/live", json={"reason": "pilot"})
    assert asked.status_code == 202, asked.text
    action_id, of = asked.json()["action_id"], await tenant(site)

    async def state(*wanted: str) -> bool:
        return (await site.http.get(f"{API}/actions/{action_id}")).json()["state"] in wanted

    await eventually(20, lambda: state("awaiting_approval"))
    approval = UUID((await site.http.get(f"{API}/actions/{action_id}")).json()["approval_id"])
    async with site.system.bus(Plane.GATEWAY) as bus:
        for number, role in enumerate(("approver", "owner")):
            who = Principal(id=f"user:{900 + number}", kind=PrincipalKind.USER, tenant_id=of, roles=(role,))
            view = await bus.call(APPROVAL, ApprovalRequest(principal=who, approval_id=approval))
            vote = {"payload_hash": view.payload_hash, "view_hash": view.view_hash}
            await bus.call(APPROVE, ApproveRequest(principal=who, approval_id=approval, **vote))
    await eventually(20, lambda: state("succeeded"))

    async def is_live() -> bool:
        return bool((await site.http.get(f"{API}/connectors/webhook")).json()["mode"] == "live")

    await eventually(20, is_live)


async def test_in_the_sandbox_nothing_leaves_and_the_log_says_so(site: Served, to: Receiver) -> None:
    subscription, _ = await subscribe(site, to, "connector.*")
    await flag(site)

    async def delivered() -> bool:
        return any(one["state"] == "delivered" for one in await log(site, subscription))

    await eventually(20, delivered)
    (one,) = await log(site, subscription)
    assert (one["mode"], one["event_type"], one["attempts"]) == ("sandbox", "connector.settings_changed", 1)
    assert to.arrived == []
    caught = (await site.http.get(f"{API}/connectors/webhook/sandbox")).json()["items"]
    assert caught[0]["request"]["headers"]["webhook-id"] == one["message_id"]
    # Whoever may read actions may not read the ledger for that.
    action = (await site.http.get(f"{API}/actions/{one['action_id']}")).json()
    assert "per_minute" not in json.dumps(action)
    assert "per_minute" not in json.dumps(caught)
    await live(site)
    assert (await site.http.delete(f"{HOOKS}/{subscription}")).status_code == 204


async def test_an_event_arrives_signed_and_its_log_says_how(site: Served, to: Receiver) -> None:
    subscription, secret = await subscribe(site, to, "connector.*")
    await flag(site)

    async def arrived() -> bool:
        return bool(to.arrived) and bool(await log(site, subscription, state="delivered"))

    await eventually(20, arrived)
    (one,) = to.arrived
    said = Webhook(secret).verify(one.body, one.headers)
    assert (said["type"], said["data"]["data"]["per_minute"]) == ("connector.settings_changed", 7)
    entries = (await site.http.get(f"{API}/audit", params={"kind": "connector.settings_changed"})).json()["items"]
    assert said["data"]["entry_id"] == entries[0]["entry_id"]
    (delivery,) = await log(site, subscription)
    assert (delivery["mode"], delivery["message_id"]) == ("live", one.id)
    detail = (await site.http.get(f"{HOOKS}/{subscription}/deliveries/{delivery['delivery_id']}")).json()
    assert [(t["number"], t["outcome"]) for t in detail["tries"]] == [(1, "succeeded")]
    # The try was an action under a grant like any other, and a delivery makes no delivery of itself.
    action = (await site.http.get(f"{API}/actions/{delivery['action_id']}")).json()
    assert (action["action_type"], action["state"], bool(action["grant_id"])) == ("webhook_deliver", "succeeded", True)
    await site.http.delete(f"{HOOKS}/{subscription}")


async def test_nobody_but_the_system_asks_for_a_delivery(site: Served, to: Receiver) -> None:
    subscription, _ = await subscribe(site, to)
    body = {
        "action_type": "webhook_deliver", "resource": {"type": "subscription", "id": subscription},
        "payload": {"delivery_id": subscription, "message_id": "x", "form": "json", "url_sha256": "0", "body_sha256": "0"},
    }  # fmt: skip
    answer = (await site.http.post(f"{API}/actions", json=body, headers={"Prefer": "wait=5"})).json()
    assert (answer["state"], answer["reasons"][0]["code"]) == ("refused", "system_effect")
    assert to.arrived == []
    await site.http.delete(f"{HOOKS}/{subscription}")


async def test_a_receiver_that_fails_is_tried_again_with_the_same_id(site: Served, to: Receiver) -> None:
    subscription, secret = await subscribe(site, to, "connector.*")
    to.status = 503
    await flag(site)

    async def tried(times: int) -> bool:
        return len(to.arrived) >= times

    await eventually(20, lambda: tried(3))
    to.status = 204

    async def delivered() -> bool:
        return bool(await log(site, subscription, state="delivered"))

    await eventually(20, delivered)
    assert len(set(to.ids())) == 1
    for one in to.arrived:
        Webhook(secret).verify(one.body, one.headers)
    (delivery,) = await log(site, subscription)
    assert delivery["attempts"] == len(to.arrived)
    assert (await shown(site, subscription))["failures"] == 0
    letters = (await site.http.get(f"{API}/dead-letters", params={"state": "open"})).json()["items"]
    assert not [one for one in letters if one["action_type"] == "webhook_deliver"]
    await site.http.delete(f"{HOOKS}/{subscription}")


async def test_after_the_declared_failures_it_is_disabled_with_a_card_and_resumed_without_loss(
    site: Served, to: Receiver
) -> None:
    subscription, _ = await subscribe(site, to, "connector.*", disable_after=3)
    to.status = 500
    await flag(site)

    async def disabled() -> bool:
        return bool((await shown(site, subscription))["state"] == "disabled")

    await eventually(30, disabled)
    found = await shown(site, subscription)
    assert (found["failures"], found["last_error"]["code"]) == (3, "endpoint_500")

    async def carded() -> bool:
        cards = (await site.http.get(f"{API}/cards/feed", params={"role": "ceo"})).json()["items"]
        return any("127.0.0.1" in json.dumps(card) and "توقّف الإرسال" in card["title_ar"] for card in cards)

    await eventually(20, carded)
    tried = len(to.arrived)
    await flag(site)
    to.status = 200
    assert len(to.arrived) == tried
    assert (await site.http.post(f"{HOOKS}/{subscription}/resume")).json()["state"] == "active"

    async def both() -> bool:
        return len(await log(site, subscription, state="delivered")) == 2

    await eventually(20, both)
    await site.http.delete(f"{HOOKS}/{subscription}")


async def test_a_receiver_that_says_gone_is_not_asked_again(site: Served, to: Receiver) -> None:
    subscription, _ = await subscribe(site, to)
    to.status = 410
    assert (await site.http.post(f"{HOOKS}/{subscription}/test")).status_code == 202

    async def disabled() -> bool:
        return bool((await shown(site, subscription))["state"] == "disabled")

    await eventually(20, disabled)
    assert len(to.arrived) == 1
    await site.http.delete(f"{HOOKS}/{subscription}")


async def test_while_a_secret_is_replaced_the_old_one_still_verifies(site: Served, to: Receiver) -> None:
    subscription, old = await subscribe(site, to)
    answer = await site.http.post(f"{HOOKS}/{subscription}/rotate-secret", json={"overlap_hours": 1})
    new = answer.json()["secret"]
    assert new != old
    await site.http.post(f"{HOOKS}/{subscription}/test")

    async def arrived(count: int) -> bool:
        return len(to.arrived) >= count

    await eventually(20, lambda: arrived(1))
    for secret in (old, new):
        assert Webhook(secret).verify(to.arrived[0].body, to.arrived[0].headers)["type"] == "webhook.test"
    third = (await site.http.post(f"{HOOKS}/{subscription}/rotate-secret", json={"overlap_hours": 0})).json()["secret"]
    await site.http.post(f"{HOOKS}/{subscription}/test")
    await eventually(20, lambda: arrived(2))
    Webhook(third).verify(to.arrived[1].body, to.arrived[1].headers)
    assert to.arrived[1].headers["webhook-signature"].count("v1,") == 2  # the first one's hour is not over
    for path in (HOOKS, f"{HOOKS}/{subscription}", f"{API}/audit?limit=200", f"{API}/actions"):
        text = (await site.http.get(path)).text
        assert not any(secret.removeprefix("whsec_") in text for secret in (old, new, third)), path
    await site.http.delete(f"{HOOKS}/{subscription}")


async def test_a_range_is_delivered_again_under_the_same_ids(site: Served, to: Receiver) -> None:
    subscription, _ = await subscribe(site, to, "connector.*")
    await flag(site)
    await flag(site)

    async def arrived(count: int) -> bool:
        return len(to.arrived) == count

    await eventually(20, lambda: arrived(2))
    first = sorted(to.ids())
    numbers = sorted(one["first_seq"] for one in await log(site, subscription))
    body = {"first_seq": numbers[0], "last_seq": numbers[-1]}
    asked = await site.http.post(f"{HOOKS}/{subscription}/replay", json=body)
    assert asked.status_code == 202, asked.text
    await eventually(20, lambda: arrived(4))
    assert sorted(to.ids()[2:]) == first
    assert [one["replay"] for one in await log(site, subscription)].count(True) == 2
    empty = await site.http.post(f"{HOOKS}/{subscription}/replay", json={"first_seq": 10**9})
    assert (empty.status_code, empty.json()["code"]) == (422, "range_empty")
    await site.http.delete(f"{HOOKS}/{subscription}")


def trail(to: Receiver) -> list[int]:
    """The numbers of all entries that a SIEM was given, as they came."""
    return [json.loads(line)["seq"] for one in to.arrived for line in one.body.decode().splitlines()]


async def test_a_siem_gets_the_whole_trail_in_order_across_failures_and_a_restart(site: Served, to: Receiver) -> None:
    subscription, secret = await subscribe(site, to, "*", kind="siem", from_start=True)

    async def caught_up() -> bool:
        found = await shown(site, subscription)
        newest = (await site.http.get(f"{API}/proof-ledger/checkpoint")).json()["size"]
        return bool(found["waiting"] == 0 and found["cursor"] >= newest > 0)

    await eventually(40, caught_up)
    for one in to.arrived:
        at = datetime.fromtimestamp(int(one.headers["webhook-timestamp"]), UTC)
        # The library's `verify` wants one JSON document, and these are lines: its own signature is compared.
        assert Webhook(secret).sign(one.id, at, one.body.decode()) == one.headers["webhook-signature"]
    seen = trail(to)
    assert seen == sorted(set(seen))
    assert seen[0] == 0
    to.status = 500
    tried = len(to.arrived)
    await flag(site)

    async def failing() -> bool:
        return len(to.arrived) > tried

    await eventually(20, failing)
    await restart(site)
    to.status = 200
    await flag(site)
    await eventually(60, caught_up)
    kinds = [json.loads(line)["kind"] for one in to.arrived for line in one.body.decode().splitlines()]
    assert kinds.count("connector.settings_changed") >= 2
    again = trail(to)
    # At least once, in order: only a batch that was refused comes again, whole.
    firsts = list(dict.fromkeys(again))
    assert firsts == sorted(firsts)
    own = {one["action_id"] for one in await log(site, subscription)}
    assert not own & {
        json.loads(line)["target"].removeprefix("action:")
        for one in to.arrived
        for line in one.body.decode().splitlines()
    }
    await site.http.delete(f"{HOOKS}/{subscription}")


async def restart(site: Served) -> None:
    """End execution as a process would, and start another."""
    planes = site.system.planes
    assert isinstance(planes, dict)  # the harness ends whoever is in it
    await planes[Plane.EXECUTION].stop()
    fresh = RunningPlane(Plane.EXECUTION, build, load(Plane.EXECUTION))
    await fresh.start()
    planes[Plane.EXECUTION] = fresh


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"url": "https://localhost/x"}, "endpoint_private"),
        ({"url": "https://169.254.169.254/latest/meta-data"}, "endpoint_private"),
        ({"url": "https://[::1]/x"}, "endpoint_private"),
        ({"url": "https://[::ffff:10.0.0.1]/x"}, "endpoint_private"),
        ({"url": "https://2130706433/x"}, "endpoint_private"),
        ({"url": "https://0x7f.1/x"}, "endpoint_private"),
        ({"url": "http://hooks.example/x"}, "endpoint_invalid"),
        ({"url": "https://u:p@hooks.example/x"}, "endpoint_invalid"),
        ({"url": "https://nowhere.invalid/x"}, "endpoint_unresolved"),
        ({"event_types": ["nothing.*"]}, "event_type_unknown"),
        ({"form": "cef"}, "form_not_of_kind"),
        ({"kind": "siem", "form": "json"}, "form_not_of_kind"),
    ],
)
async def test_what_can_not_be_subscribed_is_refused_in_both_languages(
    site: Served, to: Receiver, change: dict[str, Any], code: str
) -> None:
    body = {"url": to.url, "event_types": ["approval.*"], **change}
    for language in ("en", "ar"):
        answer = await site.http.post(HOOKS, json=body, headers={"Accept-Language": language})
        assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text
    assert any("؀" <= c <= "ۿ" for c in answer.json()["detail"])


async def test_who_may_not_set_up_sees_and_changes_nothing(site: Served, to: Receiver) -> None:
    key = await site.http.post(f"{API}/api-keys", json={"name": "k", "scopes": ["read", "submit", "evidence"]})
    headers = {"Authorization": f"Bearer {key.json()['api_key']}"}
    body = {"url": to.url, "event_types": ["*"]}
    for method, path, sent in (("GET", "", None), ("POST", "", body), ("GET", "/event-types", None)):
        answer = await site.http.request(method, f"{HOOKS}{path}", json=sent, headers=headers)
        assert answer.status_code == 403, (path, answer.text)


async def test_an_edit_over_somebody_elses_is_refused(site: Served, to: Receiver) -> None:
    subscription, _ = await subscribe(site, to)
    changed = await site.http.patch(f"{HOOKS}/{subscription}", json={"version": 1, "description": "سجل الأمن"})
    assert (changed.status_code, changed.json()["version"]) == (200, 2), changed.text
    stale = await site.http.patch(f"{HOOKS}/{subscription}", json={"version": 1, "event_types": ["*"]})
    assert (stale.status_code, stale.json()["code"]) == (412, "subscription_changed")
    away = await site.http.patch(f"{HOOKS}/{subscription}", json={"version": 2, "url": "https://10.0.0.1/x"})
    assert away.json()["code"] == "endpoint_private"
    await site.http.delete(f"{HOOKS}/{subscription}")
    gone = await site.http.post(f"{HOOKS}/{subscription}/resume")
    assert (gone.status_code, gone.json()["code"]) == (409, "subscription_ended")
