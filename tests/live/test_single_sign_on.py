"""Single sign-on against a real provider (Authlib's server, in a process of its own), with the gateway's real edge and routes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from dev.directory import any_free_port
from libs.runtime.settings import SettingsError
from tests.unit.gateway.fake_site import PASSWORD, Site, open_site

pytestmark = pytest.mark.live

GROUPS = {"dealix-sales": "member", "dealix-leads": "approver"}
PEOPLE: dict[str, dict[str, Any]] = {
    "noura": {
        "email": "noura@a.example",
        "email_verified": True,
        "name": "Noura",
        "groups": ["dealix-leads", "football"],
    },
    "sami": {"email": "sami@a.example", "email_verified": True, "groups": ["football"]},
    "unverified": {"email": "owner@a.example", "email_verified": False, "groups": ["dealix-leads"]},
    "boss": {"email": "boss@a.example", "email_verified": True, "groups": ["dealix-leads"]},
    "nameless": {"groups": ["dealix-leads"]},
}


@contextmanager
def provider(people: dict[str, dict[str, Any]], port: int) -> Iterator[str]:
    """The provider, with these people; its issuer."""
    claims = [part for sub, of in people.items() for part in ("--user-claims", json.dumps({"sub": sub, **of}))]
    command = [
        str(Path(sys.executable).with_name("oidc-provider-mock")),
        "-p",
        str(port),
        "--require-nonce",
        "true",
        *claims,
    ]
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env={**os.environ, "NO_PROXY": "*"}
    )
    try:
        until = time.monotonic() + 20
        while time.monotonic() < until:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    with provider(PEOPLE, any_free_port("127.0.0.1")) as found:
        yield found


@pytest.fixture
async def site(issuer: str) -> AsyncIterator[Site]:
    made = await with_sso(issuer)
    yield made
    await made.client.aclose()


async def with_sso(issuer: str, **more: Any) -> Site:
    site = await open_site(
        gateway_oidc_issuer=issuer, gateway_oidc_client_id="dealix", gateway_oidc_client_secret="a-secret-of-the-client",
        gateway_oidc_roles=GROUPS, gateway_public_url="http://localhost:8080", **more,
    )  # fmt: skip
    site.clock.at = datetime.now(UTC)
    site.gateway.demo_tenant = site.tenant.tenant_id
    return site


async def at_the_provider(url: str, sub: str) -> str:
    """Sign in over there; where it sends the browser back to, as path and query."""
    async with httpx.AsyncClient(trust_env=False) as browser:
        answer = await browser.post(url, data={"sub": sub})
    assert answer.status_code == 302, answer.text
    back = urlsplit(answer.headers["location"])
    assert f"{back.scheme}://{back.netloc}" == "http://localhost:8080"
    return f"{back.path}?{back.query}"


async def sign_in(site: Site, sub: str, *, after: str = "/console/approvals") -> httpx.Response:
    away = await site.client.get("/console/sign-in/sso", params={"next": after})
    assert away.status_code == 303
    return await site.client.get(await at_the_provider(away.headers["location"], sub))


async def me(site: Site) -> dict[str, Any]:
    answer = await site.client.get("/api/v1/me")
    return dict(answer.json()) if answer.status_code == 200 else {"status": answer.status_code}


async def test_somebody_signs_in_with_the_roles_of_their_groups_and_no_others(site: Site) -> None:
    assert "/console/sign-in/sso" in (await site.client.get("/console/sign-in")).text
    arrived = await sign_in(site, "noura")
    assert (arrived.status_code, arrived.headers["location"]) == (303, "/console/approvals")
    found = await me(site)
    assert found["roles"] == ["approver"]
    assert found["email"] == "noura@a.example"
    refused = await site.sign_in("noura@a.example", "")
    assert refused.status_code in (401, 422), "there is no password to sign in with"
    again = await sign_in(site, "noura")
    assert again.status_code == 303
    assert (await me(site))["user_id"] == found["user_id"], "the same account"


async def test_no_group_no_verified_address_or_an_account_with_a_password_is_no_way_in(site: Site) -> None:
    owner = await site.user("owner", email="boss@a.example")
    for sub, words in (
        ("sami", "None of your groups has a role here"),
        ("unverified", "has not verified your e-mail address"),
        ("nameless", "sent no e-mail address"),
        ("boss", "account with a password here"),
    ):
        answer = await sign_in(site, sub)
        assert answer.status_code == 403, sub
        assert words in answer.text or "جهتك" in answer.text or "بكلمة مرور" in answer.text
        assert await me(site) == {"status": 401}
    async with site.store.unit(site.tenant.tenant_id) as unit:
        assert (await unit.user(owner.user_id)) == owner, "whoever runs the provider can't touch it"


async def test_an_answer_is_good_once_for_one_browser_and_for_ten_minutes(site: Site) -> None:
    away = await site.client.get("/console/sign-in/sso")
    back = await at_the_provider(away.headers["location"], "noura")
    stolen = httpx.AsyncClient(transport=site.client._transport, base_url="http://dealix.test")
    assert (await stolen.get(back)).status_code == 400, "another browser's answer"
    forged = back.replace(parse_qs(urlsplit(back).query)["state"][0], "forged")
    assert (await site.client.get(forged)).status_code == 400

    away = await site.client.get("/console/sign-in/sso")
    back = await at_the_provider(away.headers["location"], "noura")
    site.clock.advance(minutes=11)
    assert (await site.client.get(back)).status_code == 400

    site.clock.at = datetime.now(UTC)
    away = await site.client.get("/console/sign-in/sso")
    back = await at_the_provider(away.headers["location"], "noura")
    kept = site.client.cookies.get("dealix_sso")
    assert (await site.client.get(back)).status_code == 303
    site.client.cookies.set("dealix_sso", kept or "")
    assert (await site.client.get(back)).status_code == 400, "a code is used once"


async def test_a_token_for_another_client_or_of_another_issuer_is_refused(issuer: str) -> None:
    site = await with_sso(issuer)
    sso = site.gateway.single_sign_on
    assert sso is not None
    away = await site.client.get("/console/sign-in/sso")
    back = await at_the_provider(away.headers["location"], "noura")
    sso._provider._client = replace(sso._provider._client, client_id="somebody-else")
    assert (await site.client.get(back)).status_code == 400

    elsewhere = await with_sso(issuer + "/")
    assert (await elsewhere.client.get("/console/sign-in/sso")).status_code == 400, "the metadata names another issuer"


async def test_who_leaves_the_provider_is_out_within_a_sessions_lifetime(issuer: str) -> None:
    site = await with_sso(issuer, gateway_oidc_session_minutes=15)
    await sign_in(site, "noura")
    assert (await me(site))["roles"] == ["approver"]
    site.clock.advance(minutes=14)
    assert (await me(site))["roles"] == ["approver"]
    site.clock.advance(minutes=2)
    assert await me(site) == {"status": 401}


async def test_lost_groups_change_roles_and_end_sessions_at_the_next_sign_in(issuer: str) -> None:
    site = await with_sso(issuer)
    await sign_in(site, "noura")
    before = site.client.cookies.get("dealix_session")
    moved = {**PEOPLE, "noura": {**PEOPLE["noura"], "groups": ["dealix-sales"]}}
    gone = {**PEOPLE, "noura": {**PEOPLE["noura"], "groups": []}}
    for people, roles in ((moved, ["member"]), (gone, None)):
        with provider(people, any_free_port("127.0.0.1")) as other:
            sso = site.gateway.single_sign_on
            assert sso is not None
            sso._provider._client = replace(sso._provider._client, issuer=other)
            sso._provider._metadata = sso._provider._keys = None
            answer = await sign_in(site, "noura")
            if roles is not None:
                assert answer.status_code == 303
                assert (await me(site))["roles"] == roles
                kept = dict(site.client.cookies)
            else:
                assert answer.status_code == 403
                site.client.cookies.update(kept)
                assert await me(site) == {"status": 401}, "the sessions they had are gone as well"
    site.client.cookies.set("dealix_session", before or "")
    assert await me(site) == {"status": 401}


async def test_with_single_sign_on_only_the_owners_password_is_for_emergencies(issuer: str) -> None:
    site = await with_sso(issuer, gateway_oidc_only=True)
    await site.user("owner", email="break.glass@a.example")
    await site.user("approver", email="approver@a.example")
    assert (await site.sign_in("approver@a.example")).json()["code"] == "sso_required"
    assert (await site.sign_in("approver@a.example", "wrong password")).json()["code"] == "wrong_credentials"
    assert (await site.sign_in("break.glass@a.example", PASSWORD)).status_code == 200


async def test_a_provider_that_is_down_leaves_the_owner_a_way_in() -> None:
    site = await with_sso(f"http://127.0.0.1:{any_free_port('127.0.0.1')}")
    await site.user("owner", email="break.glass@a.example")
    assert (await site.client.get("/console/sign-in/sso")).status_code == 400
    assert (await site.sign_in("break.glass@a.example", PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"gateway_oidc_issuer": "http://idp.example"}, "OIDC_ISSUER"),
        ({"gateway_public_url": "http://dealix.example"}, "PUBLIC_URL"),
        ({"gateway_oidc_roles": {}}, "maps no group"),
        ({"gateway_oidc_roles": {"a": "emperor"}}, "emperor"),
        ({"gateway_oidc_client_id": ""}, "CLIENT_ID"),
        ({"gateway_oidc_issuer": "", "gateway_oidc_only": True}, "nobody could sign in"),
    ],
)
async def test_settings_that_could_let_nobody_or_anybody_in_stop_the_start(wrong: dict[str, Any], words: str) -> None:
    good: dict[str, Any] = {
        "gateway_oidc_issuer": "https://idp.example", "gateway_oidc_client_id": "dealix", "gateway_oidc_client_secret": "s" * 20,
        "gateway_oidc_roles": GROUPS, "gateway_public_url": "https://dealix.example",
    }  # fmt: skip
    with pytest.raises(SettingsError, match=words):
        await open_site(**{**good, **wrong})
