"""API keys and people: what is kept of a key, how far it reaches, who may change whom."""

from __future__ import annotations

from datetime import timedelta

import pytest

from libs.contracts.message import PrincipalKind
from libs.contracts.subjects import APPROVE
from tests.unit.gateway.fake_site import PASSWORD, Site, problem

ID = "01900000-0000-7000-8000-000000000000"


async def test_a_key_is_shown_once_and_kept_as_a_hash(site: Site) -> None:
    owner = await site.bearer("owner")
    made = await site.client.post("/api/v1/api-keys", json={"name": "etl", "scopes": ["import"]}, headers=owner)
    assert made.status_code == 201
    text = made.json()["api_key"]
    assert text.startswith("dlx_")
    assert text.split("_", 2)[2] not in repr(site.store._tables)
    listed = (await site.client.get("/api/v1/api-keys", headers=owner)).json()["items"]
    assert {key["name"]: key["api_key"] for key in listed}["etl"] is None


async def test_a_changed_secret_opens_nothing(site: Site) -> None:
    text = await site.key(await site.user("owner"))
    for wrong in (text[:-1] + ("A" if text[-1] != "A" else "B"), text.upper(), text + "x", text[:-1]):
        response = await site.client.get("/api/v1/me", headers={"Authorization": f"Bearer {wrong}"})
        problem(response, 401, "unknown_key")


async def test_an_expired_key_is_refused_and_says_so(site: Site) -> None:
    text = await site.key(await site.user("owner"), expires_at=site.clock() + timedelta(days=1))
    headers = {"Authorization": f"Bearer {text}"}
    assert (await site.client.get("/api/v1/me", headers=headers)).status_code == 200
    site.clock.advance(days=1)
    found = await site.client.get("/api/v1/me", headers=headers)
    problem(found, 401, "key_expired")
    assert found.headers["www-authenticate"].startswith("Bearer")


async def test_a_revoked_key_opens_nothing_from_the_next_request_on(site: Site) -> None:
    owner = await site.bearer("owner")
    made = (await site.client.post("/api/v1/api-keys", json={"name": "x", "scopes": ["read"]}, headers=owner)).json()
    headers = {"Authorization": f"Bearer {made['api_key']}"}
    assert (await site.client.get("/api/v1/me", headers=headers)).status_code == 200
    assert (await site.client.delete(f"/api/v1/api-keys/{made['key_id']}", headers=owner)).status_code == 204
    problem(await site.client.get("/api/v1/me", headers=headers), 401, "unknown_key")


async def test_a_key_reaches_no_further_than_its_scopes(site: Site) -> None:
    key = await site.key(await site.user("owner"), "read")
    headers = {"Authorization": f"Bearer {key}"}
    problem(await site.client.get(f"/api/v1/actions/{ID}", headers=headers), 404, "not_found")
    for path, body in (
        ("/api/v1/actions", {}),
        ("/api/v1/control", {}),
        ("/api/v1/api-keys", {}),
        ("/api/v1/users", {}),
    ):
        problem(await site.client.post(path, json=body, headers=headers), 403, "forbidden")


async def test_a_client_key_has_nothing_of_the_rights_of_who_made_it(site: Site) -> None:
    key = await site.key(await site.user("owner"), "*", personal=False)
    headers = {"Authorization": f"Bearer {key}"}
    me = (await site.client.get("/api/v1/me", headers=headers)).json()
    assert (me["kind"], me["roles"]) == (PrincipalKind.API_KEY.value, ["api_client"])
    assert "approve" not in me["may"]
    vote = {"payload_hash": "a" * 64, "view_hash": "b" * 64}
    problem(await site.client.post(f"/api/v1/approvals/{ID}/approve", json=vote, headers=headers), 403, "forbidden")
    problem(await site.client.post("/api/v1/users", json={}, headers=headers), 403, "forbidden")
    assert site.planes.requests(APPROVE) == []


async def test_a_key_cannot_make_a_wider_key(site: Site) -> None:
    narrow = {"Authorization": f"Bearer {await site.key(await site.user('owner'), 'users', 'read')}"}
    for scopes in (["*"], ["submit"], ["read", "approve"]):
        response = await site.client.post("/api/v1/api-keys", json={"name": "x", "scopes": scopes}, headers=narrow)
        problem(response, 403, "scope_exceeded")
    made = await site.client.post("/api/v1/api-keys", json={"name": "x", "scopes": ["read"]}, headers=narrow)
    assert made.status_code == 201


@pytest.mark.parametrize("scopes", [[], ["everything"], ["read", "READ"]])
async def test_a_key_needs_scopes_that_exist(site: Site, scopes: list[str]) -> None:
    owner = await site.bearer("owner")
    response = await site.client.post("/api/v1/api-keys", json={"name": "x", "scopes": scopes}, headers=owner)
    problem(response, 422, "unknown_scope")


async def test_who_is_shut_out_has_no_key_and_no_session_left(site: Site) -> None:
    user = await site.user("operator", email="omar@a.example")
    key = {"Authorization": f"Bearer {await site.key(user)}"}
    await site.sign_in("omar@a.example")
    owner = await site.bearer("owner")
    done = await site.client.patch(
        f"/api/v1/users/{user.user_id}", json={"disabled": True}, headers={**owner, "X-CSRF-Token": "unused"}
    )
    assert done.status_code == 200, done.text
    problem(await site.client.get("/api/v1/me", headers=key), 401, "unknown_key")
    problem(await site.client.get("/api/v1/me"), 401, "session_ended")
    problem(await site.sign_in("omar@a.example"), 401, "wrong_credentials")


async def test_a_key_follows_its_persons_roles(site: Site) -> None:
    user = await site.user("operator")
    key = {"Authorization": f"Bearer {await site.key(user)}"}
    owner = await site.bearer("owner")
    await site.client.patch(f"/api/v1/users/{user.user_id}", json={"roles": ["auditor"]}, headers=owner)
    problem(await site.client.post("/api/v1/actions", json={}, headers=key), 403, "forbidden")


async def test_only_an_owner_makes_an_owner_and_nobody_changes_their_own_roles(site: Site) -> None:
    admin_user = await site.user("admin")
    admin = {"Authorization": f"Bearer {await site.key(admin_user)}"}
    body = {"email": "new@a.example", "name": "N", "roles": ["owner"]}
    problem(await site.client.post("/api/v1/users", json=body, headers=admin), 403, "owner_only")
    mine = await site.client.patch(f"/api/v1/users/{admin_user.user_id}", json={"roles": ["approver"]}, headers=admin)
    problem(mine, 403, "own_roles")
    owner = await site.user("owner")
    reset = await site.client.post(f"/api/v1/users/{owner.user_id}/password-reset", headers=admin)
    problem(reset, 403, "forbidden")


async def test_the_last_owner_stays(site: Site) -> None:
    owner = await site.user("owner")
    headers = {"Authorization": f"Bearer {await site.key(owner)}"}
    response = await site.client.patch(f"/api/v1/users/{owner.user_id}", json={"disabled": True}, headers=headers)
    problem(response, 409, "last_owner")


async def test_an_address_has_one_account_in_the_whole_system(site: Site) -> None:
    owner = await site.bearer("owner")
    body = {"email": "Sara@a.example", "name": "S", "roles": ["member"]}
    assert (await site.client.post("/api/v1/users", json=body, headers=owner)).status_code == 201
    body["email"] = "sara@A.example"
    problem(await site.client.post("/api/v1/users", json=body, headers=owner), 409, "email_taken")


async def test_an_edit_of_an_old_version_is_refused(site: Site) -> None:
    user = await site.user("member")
    owner = await site.bearer("owner")
    path = f"/api/v1/users/{user.user_id}"
    tag = (await site.client.get(path, headers=owner)).headers["etag"]
    first = await site.client.patch(path, json={"name": "A"}, headers={**owner, "If-Match": tag})
    assert first.status_code == 200
    problem(await site.client.patch(path, json={"name": "B"}, headers={**owner, "If-Match": tag}), 412, "edit_conflict")
    assert (await site.client.get(path, headers=owner)).json()["name"] == "A"


async def test_lists_come_in_pages_and_a_cursor_of_another_tenant_is_none(site: Site) -> None:
    from tests.unit.gateway.fake_site import profile

    owner = await site.bearer("owner")
    for _ in range(4):
        await site.user("member")
    found, cursor, pages = [], None, 0
    while pages == 0 or cursor:
        page = (
            await site.client.get(
                "/api/v1/users", params={"limit": 2, **({"cursor": cursor} if cursor else {})}, headers=owner
            )
        ).json()
        found += [user["user_id"] for user in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
    assert len(found) == len(set(found)) == 5
    assert pages == 3
    first = (await site.client.get("/api/v1/users", params={"limit": 2}, headers=owner)).json()["next_cursor"]
    theirs = await site.bearer("owner", tenant=profile("theirs"))
    for made_up in (first, "x", "AAAA", ID):
        response = await site.client.get("/api/v1/users", params={"cursor": made_up}, headers=theirs)
        problem(response, 422, "bad_cursor")


async def test_a_password_asked_again_is_what_reauthenticated_means(site: Site) -> None:
    user = await site.user("owner")
    headers = {"Authorization": f"Bearer {await site.key(user)}"}
    vote = {"payload_hash": "a" * 64, "view_hash": "b" * 64}
    wrong = await site.client.post(
        f"/api/v1/approvals/{ID}/approve", json={**vote, "password": "wrong"}, headers=headers
    )
    problem(wrong, 401, "wrong_credentials")
    assert site.planes.requests(APPROVE) == []
    await site.client.post(f"/api/v1/approvals/{ID}/approve", json={**vote, "password": PASSWORD}, headers=headers)
    await site.client.post(f"/api/v1/approvals/{ID}/approve", json=vote, headers=headers)
    assert [request.reauthenticated for request in site.planes.requests(APPROVE)] == [True, False]
