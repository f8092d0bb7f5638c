"""On real servers: a request waits, its brief is sent by itself to who may decide, the signed reply decides, and is answered."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio

from libs.contracts.message import new_id
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]
API = "/api/v1"
SECRET, ACCOUNT, MOBILE = "an-app-secret-of-the-vendor", "1055512345", "+966501234567"
DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def site(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    patch = pytest.MonkeyPatch()
    patch.setattr("services.gateway.briefs.sender.POLL_SECONDS", 0.2)
    try:
        async with served(tmp_path_factory.mktemp("briefs")) as made:
            yield made
    finally:
        patch.undo()


async def approver(site: Served) -> httpx.AsyncClient:
    """A person who signed in and may approve."""
    body = {"email": "noura@a.example", "name": "Noura", "roles": ["approver"], "business_role": "ceo"}
    made = await site.http.post(f"{API}/users", json=body)
    assert made.status_code == 201, made.text
    client = httpx.AsyncClient(base_url=site.http.base_url, timeout=60)
    first, chosen = made.json()["password"], "correct-horse-battery-staple"
    for password in (first, chosen):
        signed = await client.post(f"{API}/auth/login", json={"email": body["email"], "password": password})
        assert signed.status_code == 200, signed.text
        client.headers["X-CSRF-Token"] = signed.json()["csrf_token"]
        if password == first:
            changed = await client.post(f"{API}/me/password", json={"current": first, "new": chosen})
            assert changed.status_code == 204, changed.text
    claimed = await client.put(f"{API}/me/whatsapp-number", json={"number": MOBILE, "password": chosen})
    assert claimed.status_code == 200, claimed.text
    client.params = {"code": claimed.json()["code"]}
    return client


async def writes(site: Served, path: str, text: str) -> dict[str, Any]:
    """What the person's number delivers by the vendor, signed."""
    one = {
        "from": MOBILE.removeprefix("+"),
        "id": f"wamid.{new_id()}",
        "type": "text",
        "text": {"body": text},
    }
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": ACCOUNT}, "messages": [one]}
    document = {"object": "x", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}
    body = json.dumps(document).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    answer = await site.http.post(path, content=body, headers={"X-Hub-Signature-256": signature})
    assert answer.status_code == 200, answer.text
    (taken,) = answer.json()["taken"]
    return dict(taken)


async def texts(site: Served) -> list[str]:
    """What the sandbox caught of WhatsApp, the newest first."""
    found = (await site.http.get(f"{API}/connectors/whatsapp/sandbox")).json()["items"]
    return [one["request"]["body"]["text"]["body"] for one in found]


async def test_a_request_is_decided_without_anybody_opening_the_console(site: Served) -> None:
    bound = await site.http.post(
        f"{API}/webhook-bindings", json={"connector": "whatsapp", "account": ACCOUNT, "secret": SECRET}
    )
    path = bound.json()["path"]
    person = await approver(site)
    code = person.params["code"]
    person.params = httpx.QueryParams()
    assert (await writes(site, path, code))["outcome"] == "verified"
    hours = await person.put(f"{API}/me/whatsapp-hours", json={"opens": "00:00", "closes": "24:00", "days": DAYS})
    assert hours.status_code == 200, hours.text
    tenant = (await site.http.get(f"{API}/me")).json()["tenant_id"]
    action = {
        "action_type": "modify_lead_routing", "resource": {"type": "tenant", "id": tenant}, "payload": {"to": "الفريق أ"},
        "reason": "توزيع جديد",
    }  # fmt: skip
    asked = (await site.http.post(f"{API}/actions", json=action, headers={"Prefer": "wait=5"})).json()
    assert asked["state"] == "awaiting_approval", asked
    assert await texts(site) == []

    rules = await site.http.put(f"{API}/approvals/whatsapp-rules", json={"enabled": True})
    assert rules.status_code == 200, rules.text

    async def told() -> bool:
        return len(await texts(site)) == 1

    await eventually(30, told)
    (brief,) = await texts(site)
    assert "الفريق أ" in brief
    assert (await writes(site, path, "1"))["outcome"] == "approved"

    async def done() -> bool:
        found = (await site.http.get(f"{API}/actions/{asked['action_id']}")).json()
        return bool(found["state"] == "succeeded")

    await eventually(30, done)

    async def answered() -> bool:
        return len(await texts(site)) == 2

    await eventually(30, answered)
    assert "وصلت موافقتك" in (await texts(site))[0]
    log = (await person.get(f"{API}/me/whatsapp-messages")).json()["items"]
    assert [(one["kind"], one["state"]) for one in log] == [("answer", "sent"), ("brief", "sent")]
    # Each was an action under its own grant.
    for one in log:
        sent = (await site.http.get(f"{API}/actions/{one['message_id']}")).json()
        assert (sent["state"], sent["receipt"]["mode"], bool(sent["grant_id"])) == ("succeeded", "sandbox", True)
    await person.aclose()
