"""A delivery counts when its vendor signed exactly these bytes for this binding, and a reply when its number was verified as a person's."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from libs.contracts.briefs import BriefAnswer, ReplyOutcome
from libs.contracts.errors import Busy
from libs.contracts.inbound import Received
from libs.contracts.message import Ok, Text, new_id
from libs.contracts.subjects import APPROVAL_BRIEF, BRIEF_REPLY, RECEIVE_MESSAGE, SUPPRESS
from services.gateway.domain.people import User
from tests.unit.gateway.fake_site import PASSWORD, Site, problem, profile

SECRET = "an-app-secret-of-the-vendor"
ACCOUNT = "1055512345"
MOBILE = "+966501234567"
DONE = BriefAnswer(outcome=ReplyOutcome.APPROVED, answer=Text(en="Approved: ABC.", ar="وصلت موافقتك على ABC."))


async def bind(site: Site, **more: Any) -> str:
    """Where the vendor delivers."""
    site.planes.answers.setdefault(RECEIVE_MESSAGE.subject, Received())
    owner = await site.bearer("owner", **more)
    body = {"connector": "whatsapp", "account": ACCOUNT, "secret": SECRET}
    made = await site.client.post("/api/v1/webhook-bindings", json=body, headers=owner)
    assert made.status_code == 201, made.text
    return str(made.json()["path"])


def message(text: str, *, sender: str = MOBILE, account: str = ACCOUNT, message_id: str = "", **more: Any) -> bytes:
    one = {
        "from": sender.removeprefix("+"),
        "id": message_id or f"wamid.{new_id()}",
        "type": "text",
        "text": {"body": text},
        **more,
    }
    value = {"messaging_product": "whatsapp", "metadata": {"phone_number_id": account}, "messages": [one]}
    return json.dumps(
        {"object": "x", "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}]}
    ).encode()


def signed(body: bytes, secret: str = SECRET) -> dict[str, str]:
    return {"X-Hub-Signature-256": "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


async def deliver(site: Site, path: str, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    return await site.client.post(path, content=body, headers=signed(body) if headers is None else headers)


async def outcome(site: Site, path: str, text: str, **more: Any) -> str:
    response = await deliver(site, path, message(text, **more))
    assert response.status_code == 200, response.text
    (taken,) = response.json()["taken"]
    assert taken["answer"]["ar"]
    return str(taken["outcome"])


async def claim(site: Site, user: User, number: str = MOBILE) -> str:
    headers = {"Authorization": f"Bearer {await site.key(user)}"}
    body = {"number": number, "password": PASSWORD}
    made = await site.client.put("/api/v1/me/whatsapp-number", json=body, headers=headers)
    assert made.status_code == 200, made.text
    return str(made.json()["code"])


async def verified(site: Site, path: str, number: str = MOBILE, **more: Any) -> User:
    user = await site.user("approver", **more)
    assert await outcome(site, path, f"رمزي {await claim(site, user, number)}", sender=number) == "verified"
    return user


# What does not count -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers", [{}, {"X-Hub-Signature-256": ""}, {"X-Hub-Signature-256": "sha256="}, {"X-Hub-Signature": "sha1=aa"}]
)
async def test_an_unsigned_delivery_is_refused(site: Site, headers: dict[str, str]) -> None:
    path = await bind(site)
    await verified(site, path)
    problem(await deliver(site, path, message("1"), headers), 403, "webhook_refused")
    assert site.planes.requests(BRIEF_REPLY) == []


async def test_one_changed_byte_or_another_secret_is_refused(site: Site) -> None:
    path = await bind(site)
    await verified(site, path)
    body = message("1")
    problem(await deliver(site, path, body, signed(body, "another-secret-than-that")), 403, "webhook_refused")
    for position in range(0, len(body), 7):
        changed = bytearray(body)
        changed[position] ^= 1
        problem(await deliver(site, path, bytes(changed), signed(body)), 403, "webhook_refused")
    # The same JSON in other bytes is not what was signed.
    problem(await deliver(site, path, body + b" ", signed(body)), 403, "webhook_refused")
    assert site.planes.requests(BRIEF_REPLY) == []


async def test_an_unknown_ended_or_foreign_binding_looks_like_a_wrong_signature(site: Site) -> None:
    path = await bind(site)
    body = message("1")
    problem(await deliver(site, f"/api/v1/webhooks/whatsapp/{new_id()}", body), 403, "webhook_refused")
    problem(await deliver(site, path.replace("whatsapp", "stripe"), body), 403, "webhook_refused")
    owner, binding = await site.bearer("owner"), path.rsplit("/", 1)[1]
    stranger = await site.bearer("owner", tenant=profile("theirs"))
    problem(await site.client.delete(f"/api/v1/webhook-bindings/{binding}", headers=stranger), 404, "not_found")
    assert (await deliver(site, path, body)).status_code == 200
    assert (await site.client.delete(f"/api/v1/webhook-bindings/{binding}", headers=owner)).status_code == 204
    problem(await deliver(site, path, body), 403, "webhook_refused")


async def test_an_unknown_number_decides_nothing(site: Site) -> None:
    path = await bind(site)
    await verified(site, path)
    assert await outcome(site, path, "1", sender="+966509999999") == "unknown_sender"
    assert site.planes.requests(BRIEF_REPLY) == []


async def test_what_a_contact_writes_is_handed_to_the_records_and_decides_nothing(site: Site) -> None:
    path = await bind(site)
    site.planes.answer(RECEIVE_MESSAGE, Received(contact_ids=(new_id(),)))
    assert await outcome(site, path, "مهتم، متى نلتقي؟", sender="+966509999999", message_id="wamid.7") == "received"
    (told,) = site.planes.requests(RECEIVE_MESSAGE)
    assert (told.channel, told.sender, told.message_id) == ("whatsapp", "+966509999999", "wamid.7")
    assert site.planes.requests(BRIEF_REPLY) == site.planes.requests(SUPPRESS) == []


@pytest.mark.parametrize(
    ("said", "at"),
    [
        ({"timestamp": "1795334400"}, datetime(2026, 11, 22, 8, tzinfo=UTC)),
        ({}, None),
        ({"timestamp": 1795334400}, None),
        ({"timestamp": "٩"}, None),
        ({"timestamp": "-1"}, None),
        ({"timestamp": "9" * 30}, None),
    ],
)
async def test_when_a_message_was_written_is_what_the_vendor_says(site: Site, said: Any, at: datetime | None) -> None:
    path = await bind(site)
    await outcome(site, path, "متى نلتقي؟", sender="+966509999999", **said)
    (told,) = site.planes.requests(RECEIVE_MESSAGE)
    assert told.at == at


@pytest.mark.parametrize("word", ["إيقاف", "ايقاف.", "STOP", "إلغاء الاشتراك"])
async def test_who_answers_stop_is_on_the_list_before_anything_else(site: Site, word: str) -> None:
    path = await bind(site)
    site.planes.answer(SUPPRESS, Ok())
    site.planes.answer(RECEIVE_MESSAGE, Received(contact_ids=(new_id(),)))
    assert await outcome(site, path, word, sender="+966509999999") == "received"
    (asked,) = site.planes.requests(SUPPRESS)
    assert asked.identifier == "+966509999999"
    assert [subject for subject, _ in site.planes.asked][-2:] == [SUPPRESS.subject, RECEIVE_MESSAGE.subject]


async def test_a_sentence_with_the_word_in_it_is_an_answer_like_others(site: Site) -> None:
    path = await bind(site)
    assert await outcome(site, path, "لا توقف العرض رجاء", sender="+966509999999") == "unknown_sender"
    assert site.planes.requests(SUPPRESS) == []


async def test_a_number_of_another_tenant_decides_nothing(site: Site) -> None:
    theirs = profile("theirs")
    path, other = await bind(site), await bind(site, tenant=theirs)
    await verified(site, other, tenant=theirs)
    assert await outcome(site, path, "1") == "unknown_sender"
    assert site.planes.requests(BRIEF_REPLY) == []


async def test_a_claimed_number_is_nobodys_until_its_code_came_from_it(site: Site) -> None:
    path = await bind(site)
    code = await claim(site, await site.user("approver"))
    assert await outcome(site, path, "1") == "unknown_sender"
    assert await outcome(site, path, code, sender="+966509999999") == "unknown_sender"
    site.clock.advance(minutes=15)
    assert await outcome(site, path, code) == "unknown_sender"
    assert site.planes.requests(BRIEF_REPLY) == []


async def test_five_wrong_codes_end_a_claim(site: Site) -> None:
    path = await bind(site)
    code = await claim(site, await site.user("approver"))
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    for _ in range(5):
        assert await outcome(site, path, wrong) == "unknown_sender"
    assert await outcome(site, path, code) == "unknown_sender"


async def test_a_number_is_one_persons(site: Site) -> None:
    path = await bind(site)
    await verified(site, path)
    other = {"Authorization": f"Bearer {await site.key(await site.user('approver'))}"}
    body = {"number": "٠٠٩٦٦٥٠١٢٣٤٥٦٧", "password": PASSWORD}
    problem(await site.client.put("/api/v1/me/whatsapp-number", json=body, headers=other), 409, "number_taken")


async def test_a_number_needs_the_password_and_the_right_to_approve(site: Site) -> None:
    path = "/api/v1/me/whatsapp-number"
    approver, member = await site.bearer("approver"), await site.bearer("member")
    wrong = {"number": MOBILE, "password": "not the password"}
    problem(await site.client.put(path, json=wrong, headers=approver), 401, "wrong_credentials")
    problem(await site.client.put(path, json={**wrong, "password": PASSWORD}, headers=member), 403, "forbidden")
    bad = {"number": "12345678", "password": PASSWORD}
    problem(await site.client.put(path, json=bad, headers=approver), 422, "bad_number")


async def test_who_is_shut_out_or_begins_anew_decides_nothing(site: Site) -> None:
    path, owner = await bind(site), await site.bearer("owner")
    user = await verified(site, path)
    site.planes.answer(BRIEF_REPLY, DONE)
    assert await outcome(site, path, "1") == "approved"
    reset = await site.client.post(f"/api/v1/users/{user.user_id}/password-reset", headers=owner)
    assert reset.status_code == 200, reset.text
    assert await outcome(site, path, "1") == "unknown_sender"
    assert len(site.planes.requests(BRIEF_REPLY)) == 1


@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b'{"entry": 1}', b'{"entry":[{"changes":[{"field":"messages","value":[]}]}]}', b"\xff\xfe", b"[" * 5000],
)  # fmt: skip
async def test_a_signed_delivery_that_holds_nothing_for_us_is_taken_and_does_nothing(site: Site, body: bytes) -> None:
    path = await bind(site)
    response = await deliver(site, path, body)
    assert (response.status_code, response.json()) == (200, {"taken": []})


async def test_messages_to_another_of_the_vendors_numbers_are_left_out(site: Site) -> None:
    path = await bind(site)
    await verified(site, path)
    body = message("1", account="999")
    assert (await deliver(site, path, body)).json() == {"taken": []}
    assert site.planes.requests(BRIEF_REPLY) == []


async def test_the_challenge_is_answered_for_the_bindings_token_alone(site: Site) -> None:
    owner = await site.bearer("owner")
    body = {"connector": "whatsapp", "account": ACCOUNT, "secret": SECRET}
    made = (await site.client.post("/api/v1/webhook-bindings", json=body, headers=owner)).json()
    asked = {"hub.mode": "subscribe", "hub.verify_token": made["verify_token"], "hub.challenge": "1158201444"}
    found = await site.client.get(made["path"], params=asked)
    assert (found.status_code, found.text) == (200, "1158201444")
    for wrong in ({"hub.verify_token": "x"}, {"hub.mode": "unsubscribe"}, {"hub.verify_token": ""}):
        problem(await site.client.get(made["path"], params={**asked, **wrong}), 403, "webhook_refused")
    listed = (await site.client.get("/api/v1/webhook-bindings", headers=owner)).json()["items"]
    assert [one["verify_token"] for one in listed] == [None]
    assert SECRET not in repr(site.store._tables)
    assert made["verify_token"] not in repr(site.store._tables)


# What counts -------------------------------------------------------------------------------------------------------------------


async def test_a_reply_is_taken_as_the_persons_whose_number_it_is_with_the_roles_of_now(site: Site) -> None:
    path = await bind(site)
    user = await verified(site, path)
    site.planes.answer(BRIEF_REPLY, DONE)
    assert await outcome(site, path, "موافق ABC", message_id="wamid.7") == "approved"
    (request,) = site.planes.requests(BRIEF_REPLY)
    assert (request.principal, request.message_id, request.text) == (user.principal(), "wamid.7", "موافق ABC")


async def test_a_button_is_a_reply_too(site: Site) -> None:
    path = await bind(site)
    await verified(site, path)
    site.planes.answer(BRIEF_REPLY, DONE)
    document = json.loads(message("x"))
    one = document["entry"][0]["changes"][0]["value"]["messages"][0]
    del one["text"]
    one |= {
        "type": "interactive",
        "interactive": {"type": "button_reply", "button_reply": {"id": "1-1", "title": "موافقة"}},
    }
    await deliver(site, path, json.dumps(document).encode())
    assert [request.text for request in site.planes.requests(BRIEF_REPLY)] == ["1-1"]


async def test_while_trust_is_silent_the_vendor_is_told_to_come_again(site: Site) -> None:
    path = await bind(site)
    await verified(site, path)
    site.planes.answer(BRIEF_REPLY, Busy())
    assert (await deliver(site, path, message("1"))).status_code == 429


async def test_a_number_can_be_seen_and_removed_by_its_person(site: Site) -> None:
    path = await bind(site)
    user = await verified(site, path)
    headers = {"Authorization": f"Bearer {await site.key(user)}"}
    seen = (await site.client.get("/api/v1/me/whatsapp-number", headers=headers)).json()
    assert (seen["number"], seen["code"]) == (MOBILE, None)
    assert seen["verified_at"] is not None
    assert MOBILE not in repr(site.store._tables)
    assert (await site.client.delete("/api/v1/me/whatsapp-number", headers=headers)).status_code == 204
    assert await outcome(site, path, "1") == "unknown_sender"


async def test_a_brief_is_asked_for_by_somebody_who_may_approve(site: Site) -> None:
    problem(
        await site.client.post("/api/v1/approvals/whatsapp-brief", headers=await site.bearer("member")),
        403,
        "forbidden",
    )
    await site.client.post("/api/v1/approvals/whatsapp-brief", headers=await site.bearer("approver"))
    assert len(site.planes.requests(APPROVAL_BRIEF)) == 1
