"""From the sandbox to a real message: a credential, a probe, an approved switch, and mail that arrives at a server; and back again."""

from __future__ import annotations

import logging
import socket
from collections.abc import AsyncIterator
from email import message_from_bytes
from email.policy import default
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.execution import ActionState
from libs.contracts.message import Plane, Principal, PrincipalKind
from libs.contracts.subjects import APPROVAL, APPROVE
from libs.contracts.trust import ApprovalRequest, ApproveRequest
from services.execution.connectors.email_smtp import SmtpAccount
from tests.live.kept_records import keep_records
from tests.live.served import Served, days_ago, eventually, served
from tests.live.test_smtp import Server, running

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]
API = "/api/v1"
PASSWORD = "correct-horse-battery-staple"
LEADS = (
    "Company,Name,Email,Source,email_opt_in,email_opt_in_at,طريقة الموافقة\n"
    f"Rimal Systems,Khalid Saad,khalid@rimal.example,website form,yes,{days_ago(52)},نموذج الموقع\n"
)
"""Live marketing goes only to who consented to the channel, with the day and the way."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    patch = pytest.MonkeyPatch()
    patch.setenv("DEALIX_CONNECTOR_PRIVATE_HOSTS", "127.0.0.1")
    # The test runs at any hour; what may be sent when has tests of its own.
    patch.setattr("services.trust.domain.decide.quiet_hours", lambda _: False)
    # Trust asks for the flags each time, instead of keeping them for seconds that a test would have to wait for.
    patch.setattr("services.trust.authorize.FLAGS_FRESH_SECONDS", 0.0)
    try:
        async with served(tmp_path_factory.mktemp("live")) as made:
            await keep_records(made.http, source="website_form", fields=("full_name", "email"))
            yield made
    finally:
        patch.undo()


async def tenant(site: Served) -> UUID:
    return UUID((await site.http.get(f"{API}/me")).json()["tenant_id"])


async def connector(site: Served, key: str = "email_smtp") -> dict[str, Any]:
    found: dict[str, Any] = (await site.http.get(f"{API}/connectors/{key}")).json()
    return found


async def action(site: Served, action_id: str) -> dict[str, Any]:
    found: dict[str, Any] = (await site.http.get(f"{API}/actions/{action_id}")).json()
    return found


async def approved(site: Served, action_id: str, *roles: str) -> dict[str, Any]:
    """The action at rest, once people with these roles have approved it."""

    async def parked() -> bool:
        found = await action(site, action_id)
        assert found["state"] in ("accepted", "awaiting_approval"), found["reasons"]
        return bool(found["state"] == "awaiting_approval")

    await eventually(20, parked)
    of = await tenant(site)
    approval = UUID((await action(site, action_id))["approval_id"])
    async with site.system.bus(Plane.GATEWAY) as bus:
        for number, role in enumerate(roles):
            who = Principal(id=f"user:{900 + number}", kind=PrincipalKind.USER, tenant_id=of, roles=(role,))
            asked = await bus.call(APPROVAL, ApprovalRequest(principal=who, approval_id=approval))
            vote = {"payload_hash": asked.payload_hash, "view_hash": asked.view_hash}
            await bus.call(APPROVE, ApproveRequest(principal=who, approval_id=approval, **vote))

    async def rested() -> bool:
        return (await action(site, action_id))["state"] not in ("awaiting_approval", "accepted", "dispatched")

    await eventually(20, rested)
    return await action(site, action_id)


async def send(site: Served, contact: str, **changes: Any) -> str:
    payload = {
        "to": "khalid@rimal.example", "subject": "عرض تعريفي", "from_name": "شركة أفق", "from_email": "sales@ofoq.example",
        "body": "السلام عليكم، معكم شركة أفق. لإيقاف الرسائل: رد بكلمة إيقاف.", **changes,
    }  # fmt: skip
    body = {"action_type": "send_email", "resource": {"type": "contact", "id": contact}, "payload": payload}
    answer = await site.http.post(f"{API}/actions", json=body)
    assert answer.status_code == 202, answer.text
    return str(answer.json()["action_id"])


async def mode(site: Served, wanted: str) -> None:
    async def is_so() -> bool:
        return (await connector(site))["mode"] == wanted

    await eventually(20, is_so)


async def test_from_the_sandbox_to_a_real_message_and_back(site: Served, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await site.imported(LEADS)
    contact = (await site.http.get(f"{API}/contacts")).json()["items"][0]["id"]
    assert (await connector(site))["mode"] == "sandbox"
    early = await site.http.post(f"{API}/connectors/email_smtp/live")
    assert (early.status_code, early.json()["code"]) == (409, "no_credential")

    server = Server()
    async with running(server) as account:
        values = credential(account)
        stored = await site.http.post(f"{API}/connectors/email_smtp/credential", json={"values": values})
        assert stored.status_code == 200, stored.text
        assert (stored.json()["registered"], stored.json()["status"]) == (True, "unknown")
        unprobed = await site.http.post(f"{API}/connectors/email_smtp/live")
        assert unprobed.json()["code"] == "probe_not_ok"
        probed = await site.http.post(f"{API}/connectors/email_smtp/probe")
        assert (probed.json()["status"], server.arrived) == ("ok", [])
        governed = (await site.http.get(f"{API}/connectors/governance")).json()["items"]
        assert {one["connector_key"] for one in governed} >= {"email_smtp", "slack", "whatsapp"}

        asked = await site.http.post(f"{API}/connectors/email_smtp/live", json={"reason": "pilot"})
        assert asked.status_code == 202, asked.text
        assert (await connector(site))["mode"] == "sandbox"
        switched = await approved(site, asked.json()["action_id"], "approver", "owner")
        assert switched["state"] == ActionState.SUCCEEDED.value, switched
        await mode(site, "live")

        sent = await approved(site, await send(site, contact), "approver")
        assert (sent["state"], sent["receipt"]["mode"]) == ("succeeded", "live"), sent
        (envelope,) = server.arrived
        read = message_from_bytes(envelope.content, policy=default)
        assert (envelope.rcpt_tos, read["Subject"]) == (["khalid@rimal.example"], "عرض تعريفي")
        assert sent["receipt"]["vendor_id"] == read["Message-ID"]
        await untouched(site, caplog)

        back = await site.http.post(f"{API}/connectors/email_smtp/sandbox")
        assert back.json()["mode"] == "sandbox"


async def untouched(site: Served, caplog: pytest.LogCaptureFixture) -> None:
    """The password is in no answer, no log, and no table in the clear."""
    for path in ("connectors", "connectors/email_smtp", "connectors/governance", "audit?limit=200", "actions"):
        assert PASSWORD not in (await site.http.get(f"{API}/{path}")).text, path
    assert PASSWORD not in caplog.text
    async with site.system.runtime(Plane.EXECUTION).database.batch(await tenant(site)) as work:
        for table in ("credentials", "outbox", "actions", "probes"):
            rows = await work.connection.fetch(f"select * from execution.{table}")
            assert rows or table == "probes"
            assert all(PASSWORD.encode() not in str(dict(row)).encode() for row in rows), table


def credential(account: SmtpAccount, **changes: Any) -> dict[str, Any]:
    return {"host": account.host, "port": account.port, "tls": "none", **changes}


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"host": "localhost", "port": 25, "tls": "none"}, "private_host"),
        ({"host": "10.0.0.7", "port": 25, "tls": "starttls"}, "private_host"),
        ({"host": "169.254.169.254", "port": 80, "tls": "starttls"}, "private_host"),
        ({"host": "::1", "port": 25, "tls": "starttls"}, "private_host"),
        ({"host": "127.0.0.1", "port": 99999, "tls": "none"}, "credential_field"),
        ({"host": "127.0.0.1", "port": 25}, "credential_field"),
        ({"host": "127.0.0.1", "port": 25, "tls": "none", "extra": "x"}, "credential_field"),
        ({"host": "127.0.0.1", "port": 25, "tls": "none", "password": "a\r\nRCPT TO:<x>"}, "credential_field"),
    ],
)
async def test_a_credential_that_leads_elsewhere_is_refused(site: Served, values: dict[str, Any], code: str) -> None:
    answer = await site.http.post(f"{API}/connectors/email_smtp/credential", json={"values": values})
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    arabic = await site.http.post(
        f"{API}/connectors/email_smtp/credential", json={"values": values}, headers={"Accept-Language": "ar"}
    )
    assert any("؀" <= c <= "ۿ" for c in arabic.json()["detail"])


async def test_a_secret_is_sealed_and_a_probe_that_fails_says_so(
    site: Served, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    values = {"host": "127.0.0.1", "port": port, "tls": "none", "username": "u", "password": PASSWORD}
    answer = await site.http.post(f"{API}/connectors/email_smtp/credential", json={"values": values})
    assert answer.status_code == 200
    assert PASSWORD not in answer.text
    probed = (await site.http.post(f"{API}/connectors/email_smtp/probe")).json()
    assert (probed["status"], probed["probe"]["code"]) == ("error", "smtp_unreachable")
    await untouched(site, caplog)
    await site.http.delete(f"{API}/connectors/email_smtp/credential")
    assert (await connector(site))["registered"] is False


async def test_who_may_not_set_up_changes_nothing(site: Served) -> None:
    key = await site.http.post(f"{API}/api-keys", json={"name": "k", "scopes": ["read", "submit"]})
    assert key.status_code in (200, 201), key.text
    headers = {"Authorization": f"Bearer {key.json()['api_key']}"}
    for method, path, body in (
        ("PUT", "settings", {"per_minute": 1}),
        ("POST", "credential", {"values": {"path": "/services/AAAAAAAAAAAA"}}),
        ("POST", "probe", None),
        ("POST", "live", None),
        ("POST", "pause", None),
    ):
        answer = await site.http.request(method, f"{API}/connectors/slack/{path}", json=body, headers=headers)
        assert answer.status_code == 403, (path, answer.text)
    assert (await connector(site, "slack"))["registered"] is False


async def test_rates_pauses_and_unknown_connectors(site: Served) -> None:
    changed = await site.http.put(f"{API}/connectors/slack/settings", json={"per_minute": 7})
    assert changed.json()["per_minute"] == 7
    paused = await site.http.post(f"{API}/connectors/slack/pause", json={"reason": "maintenance"})
    assert paused.json()["paused"] is True
    assert (await site.http.post(f"{API}/connectors/slack/resume")).json()["paused"] is False
    assert (await site.http.put(f"{API}/connectors/nothing/settings", json={"per_minute": 7})).status_code == 404
    assert (await site.http.put(f"{API}/connectors/slack/settings", json={"per_minute": 0})).status_code == 422


async def test_a_batch_of_a_thousand_waits_dies_and_comes_back(site: Served) -> None:
    """1,000 actions in one request; `Prefer: wait` shows each as it stands."""
    one = {"action_type": "tag", "resource": {"type": "tenant", "id": str(await tenant(site))}, "payload": {"tag": "x"}}
    items = [{**one, "payload": {"tag": str(n)}} for n in range(1000)]
    answer = await site.http.post(f"{API}/actions", json={"items": items}, headers={"Prefer": "wait=10"})
    assert answer.status_code in (200, 202), answer.text
    shown = answer.json()["items"]
    assert len({item["action_id"] for item in shown}) == 1000

    async def all_done() -> bool:
        ids = [shown[0]["action_id"], shown[499]["action_id"], shown[999]["action_id"]]
        return all([(await action(site, each))["state"] == "succeeded" for each in ids])

    await eventually(30, all_done)
    over = await site.http.post(f"{API}/actions", json={"items": [*items, items[0]]})
    assert over.status_code == 422


async def test_undoing_over_http(site: Served) -> None:
    body = {
        "action_type": "tag",
        "resource": {"type": "tenant", "id": str(await tenant(site))},
        "payload": {"tag": "vip"},
    }
    done = (await site.http.post(f"{API}/actions", json=body, headers={"Prefer": "wait=5"})).json()
    assert done["state"] == "succeeded"
    begun = await site.http.post(f"{API}/actions/{done['action_id']}/compensate")
    assert begun.status_code == 202, begun.text

    async def undone() -> bool:
        return (await action(site, done["action_id"]))["state"] == "compensated"

    await eventually(20, undone)
    notice = {**body, "action_type": "slack_notify", "payload": {"text": "x"}}
    sent = (await site.http.post(f"{API}/actions", json=notice, headers={"Prefer": "wait=5"})).json()
    refused = await site.http.post(f"{API}/actions/{sent['action_id']}/compensate", headers={"Accept-Language": "ar"})
    assert (refused.status_code, refused.json()["code"]) == (409, "no_compensation")
    assert "التراجع" in refused.json()["detail"]


async def test_a_dead_letter_over_http(site: Served) -> None:
    """The handler refuses the payload; a person corrects it, or closes it."""
    resource = {"type": "contact", "id": str(await tenant(site))}
    body = {"action_type": "slack_notify", "resource": {**resource, "type": "tenant"}, "payload": {"wrong": "x"}}
    failed = (await site.http.post(f"{API}/actions", json=body, headers={"Prefer": "wait=5"})).json()
    assert failed["state"] == "failed"
    letters = (await site.http.get(f"{API}/dead-letters", params={"state": "open"})).json()["items"]
    (letter,) = [one for one in letters if one["action_id"] == failed["action_id"]]
    detail = (await site.http.get(f"{API}/dead-letters/{letter['dead_letter_id']}")).json()
    assert (detail["letter"]["error"]["code"], detail["action"]["payload"]) == ("payload_incomplete", {"wrong": "x"})
    again = await site.http.post(
        f"{API}/dead-letters/{letter['dead_letter_id']}/resubmit", json={"payload": {"text": "صحيح"}}
    )
    assert again.status_code == 200, again.text

    async def done() -> bool:
        return (await action(site, again.json()["new_action_id"]))["state"] == "succeeded"

    await eventually(20, done)
    closed = await site.http.post(f"{API}/dead-letters/{letter['dead_letter_id']}/discard", json={"reason": "x"})
    assert (closed.status_code, closed.json()["code"]) == (409, "dead_letter_ended")
