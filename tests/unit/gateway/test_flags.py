"""Flags over HTTP, and as OpenFeature's clients ask for them (OFREP)."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts import subjects
from libs.contracts.flag_values import FlagStanding, FlagStandings, FlagStandingsRequest
from tests.unit.gateway.fake_site import Site

pytestmark = pytest.mark.asyncio
OFREP = "/ofrep/v1/evaluate/flags"


def flag(name: str, value: bool, **more: Any) -> FlagStanding:
    base = FlagStanding(
        name=name, kind="setting", value=value, source="default", split=False, default=True, locked=False, owner="admin", en="x", ar="س"
    )  # fmt: skip
    made: FlagStanding = base.evolve(**more)
    return made


def answering(site: Site) -> None:
    def standings(asked: FlagStandingsRequest) -> FlagStandings:
        split = flag("new_room", asked.key == "user:7", source="tenant", split=True)
        return FlagStandings(items=(flag("whatsapp_brief", True), split), version=3)

    site.planes.answer(subjects.FLAG_STANDINGS, standings)
    for call in (subjects.PUT_FLAG, subjects.DROP_FLAG):
        site.planes.answer(call, FlagStandings(items=(flag("whatsapp_brief", False, source="tenant"),), version=4))


async def test_a_flag_is_evaluated_for_a_context(site: Site) -> None:
    answering(site)
    who = await site.bearer("member")
    body = {"context": {"targetingKey": "user:7", "city": "Riyadh"}}
    one = await site.client.post(f"{OFREP}/new_room", json=body, headers=who)
    assert one.status_code == 200
    assert one.json() == {
        "key": "new_room", "value": True, "variant": "on", "reason": "SPLIT",
        "metadata": {"kind": "setting", "source": "tenant", "owner": "admin"},
    }  # fmt: skip
    without = await site.client.post(f"{OFREP}/whatsapp_brief", json={"context": {}}, headers=who)
    assert (without.json()["value"], without.json()["reason"]) == (True, "DEFAULT")


async def test_all_flags_at_once_and_nothing_while_nothing_changed(site: Site) -> None:
    answering(site)
    who = await site.bearer("member")
    body = {"context": {"targetingKey": "user:1"}}
    every = await site.client.post(OFREP, json=body, headers=who)
    assert [(one["key"], one["value"]) for one in every.json()["flags"]] == [
        ("whatsapp_brief", True),
        ("new_room", False),
    ]
    again = await site.client.post(OFREP, json=body, headers={**who, "If-None-Match": every.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    other = {"context": {"targetingKey": "user:7"}}
    assert (
        await site.client.post(OFREP, json=other, headers={**who, "If-None-Match": every.headers["etag"]})
    ).status_code == 200


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "PARSE_ERROR"),
        (b"{", "PARSE_ERROR"),
        (b"[1]", "PARSE_ERROR"),
        (b'{"context": 5}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": 5}}', "INVALID_CONTEXT"),
        (b'{"context": {"targetingKey": "' + b"x" * 201 + b'"}}', "INVALID_CONTEXT"),
        (b'{"context": {"a": "' + b"x" * 20_000 + b'"}}', "PARSE_ERROR"),
    ],
)
async def test_a_body_that_is_no_question_is_refused_in_the_protocols_words(site: Site, body: bytes, code: str) -> None:
    answering(site)
    headers = {**await site.bearer("member"), "Content-Type": "application/json"}
    for path in (OFREP, f"{OFREP}/new_room"):
        answer = await site.client.post(path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["errorCode"]) == (400, code)
    assert site.planes.requests(subjects.FLAG_STANDINGS) == []


async def test_a_flag_that_there_is_not_and_somebody_who_may_not_ask(site: Site) -> None:
    answering(site)
    missing = await site.client.post(f"{OFREP}/nothing", json={"context": {}}, headers=await site.bearer("member"))
    assert (missing.status_code, missing.json()["errorCode"]) == (404, "FLAG_NOT_FOUND")
    assert (await site.client.post(OFREP, json={"context": {}})).status_code == 401


async def test_setting_a_flag_takes_the_role_and_says_what_was_said(site: Site) -> None:
    answering(site)
    body = {"value": False, "share": 25, "expires_at": "2027-01-01T00:00:00Z"}
    path = "/api/v1/flags/whatsapp_brief"
    for role in ("member", "auditor", "approver", "operator"):
        assert (await site.client.put(path, json=body, headers=await site.bearer(role))).status_code == 403
    assert site.planes.requests(subjects.PUT_FLAG) == []
    done = await site.client.put(path, json=body, headers=await site.bearer("admin"))
    assert (done.status_code, done.json()["value"]) == (200, False)
    (asked,) = site.planes.requests(subjects.PUT_FLAG)
    assert (asked.name, asked.value, asked.share, asked.starts_at) == ("whatsapp_brief", False, 25, None)
    assert (await site.client.delete(path, headers=await site.bearer("admin"))).status_code == 200
    for wrong in ({"value": "yes"}, {"value": True, "share": 0}, {"value": True, "share": 101}, {}):
        assert (await site.client.put(path, json=wrong, headers=await site.bearer("admin"))).status_code == 422


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/api/v1/flags/whatsapp_brief", {"value": True, "expires_at": "2027-01-01T00:00:00"}),
        ("PUT", "/api/v1/flags/whatsapp_brief", {"value": True, "starts_at": "2027-01-01"}),
        ("PUT", "/api/v1/compliance/controls/PDPL-30/assignment", {"owner": "user:1", "due_at": "2027-01-01T00:00:00"}),
        (
            "POST",
            "/api/v1/memories",
            {"subject": "deal:1", "text": "x", "source": "y", "expires_at": "2027-01-01T00:00:00"},
        ),
        (
            "PUT",
            "/api/v1/connectors/email/prices",
            {"sar": "0.05", "reference": "contract", "since": "2027-01-01T00:00:00"},
        ),
    ],
)
async def test_a_time_without_a_zone_is_refused_before_a_plane_compares_it_with_its_clock(
    site: Site, method: str, path: str, body: dict[str, Any]
) -> None:
    headers = {**await site.bearer("owner"), "Accept-Language": "ar"}
    answer = await site.client.request(method, path, json=body, headers=headers)
    assert answer.status_code == 422 and "المنطقة الزمنية" in answer.text, answer.text
