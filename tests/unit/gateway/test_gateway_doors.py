"""Nobody gets in without proving who they are, and nobody does more than their stored role allows."""

from __future__ import annotations

import re
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import RouteContext, iter_route_contexts

from libs.contracts.catalogue.roles import roles
from libs.contracts.errors import Forbidden
from libs.contracts.message import new_id
from libs.contracts.subjects import APPROVE, SUBMIT
from services.gateway.http.edge import OPEN, SINGLE_PURPOSE
from services.gateway.http.guards import caller_of
from services.gateway.http.site import application
from tests.unit.gateway.fake_site import Site, problem

ID = "01900000-0000-7000-8000-000000000000"
CONTEXTS: dict[tuple[str, str], RouteContext] = {}
DOUBLE: list[tuple[str, str]] = []
for context in iter_route_contexts(application().routes):
    for method in (context.methods or set()) - {"HEAD"}:
        where = (method, context.path or "")
        DOUBLE += [where] if where in CONTEXTS else []
        CONTEXTS[where] = context
ROUTES = sorted(CONTEXTS)
OPEN_CHANGES = {("POST", "/api/v1/auth/login"), ("POST", "/api/v1/auth/login/code")}
OWN_BUSINESS = {
    ("GET", "/api/v1/me"), ("POST", "/api/v1/me/password"), ("POST", "/api/v1/me/totp"), ("POST", "/api/v1/me/totp/confirm"),
    ("POST", "/api/v1/me/totp/remove"), ("POST", "/api/v1/auth/logout"),
}  # fmt: skip
"""What concerns only whoever asks: signed in is enough."""
ACTION = {"action_type": "send_email", "resource": {"type": "contact", "id": ID}, "payload": {"to": "x@y.example"}}
CREDENTIAL_FREE = ("ping.v1", "keys.v1", "unsubscribe.v1")
VOTE = {"payload_hash": "a" * 64, "view_hash": "b" * 64}


def concrete(path: str) -> str:
    return re.sub(
        r"\{(n|token)\}",
        "1",
        re.sub(r"\{(key|trace_id|connector)\}", "email_smtp", re.sub(r"\{(\w+_id|binding)\}", ID, path)),
    )


def calls(dependant: Dependant) -> list[Any]:
    return [dependant.call, *(call for below in dependant.dependencies for call in calls(below))]


def test_there_are_routes_to_walk() -> None:
    assert len(ROUTES) > 60
    assert {("POST", "/api/v1/actions"), ("POST", "/api/v1/approvals/{approval_id}/approve")} <= set(ROUTES)


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_without_credentials_every_route_but_the_open_ones_is_refused(site: Site, method: str, path: str) -> None:
    response = await site.client.request(method, concrete(path))
    if (method, path) in OPEN | SINGLE_PURPOSE:
        assert response.status_code != 401
    elif path.startswith(("/api/", "/access/")) or method != "GET":
        problem(response, 401, "not_signed_in")
    assert [subject for subject, _ in site.planes.asked if not subject.endswith(CREDENTIAL_FREE)] == []


@pytest.mark.parametrize(
    ("method", "path"), [r for r in ROUTES if r not in OPEN | SINGLE_PURPOSE and r[1].startswith(("/api/", "/access/"))]
)
def test_every_route_checks_a_capability(method: str, path: str) -> None:
    found = calls(CONTEXTS[method, path].dependant)
    capabilities = {call.capability for call in found if hasattr(call, "capability")}
    if (method, path) in OWN_BUSINESS:
        assert caller_of in found
    else:
        assert capabilities
        assert capabilities <= roles().capabilities.keys()
        # Looking is no right to change: only the policy question, which changes nothing, is asked by POST with it.
        assert method == "GET" or capabilities != {"read"} or path.startswith(("/access/", "/api/v1/policy/explain"))


def test_what_is_open_changes_nothing_but_the_sign_in_itself() -> None:
    api = {(method, path) for method, path in OPEN if method != "GET" and not path.startswith("/console")}
    assert api == OPEN_CHANGES
    assert {path for method, path in SINGLE_PURPOSE if method == "POST"} == {
        "/u/{token}",
        "/api/v1/webhooks/{connector}/{binding}",
    }


def test_no_method_and_path_is_declared_twice() -> None:
    assert DOUBLE == []


async def test_with_no_keys_configured_nothing_is_open(site: Site) -> None:
    """Weakness 28."""
    assert await site.store.door(site.gateway.authentication.key_door(new_id())) is None
    for key in ("", "dlx_", f"dlx_{new_id().hex}_{'x' * 43}", "null", "undefined"):
        response = await site.client.post("/api/v1/actions", json=ACTION, headers={"Authorization": f"Bearer {key}"})
        problem(response, 401, "unknown_key")
    assert site.planes.requests(SUBMIT) == []


async def test_an_anonymous_call_sends_nothing(site: Site) -> None:
    """Weakness 5."""
    problem(await site.client.post("/api/v1/actions", json=ACTION), 401, "not_signed_in")
    problem(await site.client.post(f"/api/v1/cards/{ID}/decision", json={"button": "send"}), 401, "not_signed_in")
    assert site.planes.asked == []


async def test_an_anonymous_call_approves_nothing(site: Site) -> None:
    """Weakness 7."""
    for verb in ("approve", "reject", "withdraw"):
        problem(await site.client.post(f"/api/v1/approvals/{ID}/{verb}", json=VOTE), 401, "not_signed_in")
    assert site.planes.asked == []


async def test_nobody_creates_an_approval_or_names_its_approver(site: Site) -> None:
    """Weakness 26."""
    owner = await site.bearer("owner")
    problem(await site.client.post("/api/v1/approvals", json={"state": "approved"}, headers=owner), 405, "http_405")
    for extra in ({"state": "approved"}, {"decided_by": "ceo"}, {"approver": "user:1"}, {"reauthenticated": True}):
        response = await site.client.post(f"/api/v1/approvals/{ID}/approve", json={**VOTE, **extra}, headers=owner)
        problem(response, 422, "invalid_request")
    assert site.planes.asked == []


@pytest.mark.parametrize("header", ["X-Role", "X-User-Role", "X-Roles", "Role", "X-Tenant-Id", "X-User-Id"])
async def test_a_header_never_gives_a_role_or_a_tenant(site: Site, header: str) -> None:
    """Weakness 29."""
    auditor = await site.bearer("auditor")
    response = await site.client.post("/api/v1/actions", json=ACTION, headers={**auditor, header: "owner"})
    problem(response, 403, "forbidden")
    problem(await site.client.post("/api/v1/actions", json=ACTION, headers={header: "owner"}), 401, "not_signed_in")


async def test_the_principal_on_the_bus_is_the_stored_user(site: Site) -> None:
    user = await site.user("approver", business_role="sales_manager")
    key = await site.key(user)
    site.planes.answer(APPROVE, Forbidden())
    response = await site.client.post(
        f"/api/v1/approvals/{ID}/approve", json=VOTE, headers={"Authorization": f"Bearer {key}", "X-Role": "owner"}
    )
    problem(response, 403, "forbidden")
    (request,) = site.planes.requests(APPROVE)
    assert request.principal.id == f"user:{user.user_id}"
    assert request.principal.roles == ("approver",)
    assert request.principal.business_role == "sales_manager"
    assert request.principal.tenant_id == site.tenant.tenant_id
    assert request.reauthenticated is False


MATRIX = [
    ("POST", "/api/v1/actions", "submit"),
    ("POST", f"/api/v1/approvals/{ID}/approve", "approve"),
    ("POST", "/api/v1/users", "users"),
    ("POST", "/api/v1/api-keys", "users"),
    ("POST", "/api/v1/control", "control"),
    ("POST", "/api/v1/consents", "consents"),
    ("POST", "/api/v1/targeting/rank", "import"),
    ("POST", "/api/v1/evidence-packs", "evidence"),
]


@pytest.mark.parametrize(("method", "path", "capability"), MATRIX)
async def test_a_role_without_the_capability_is_refused_and_told_whom_to_ask(
    site: Site, method: str, path: str, capability: str
) -> None:
    holders = roles().capabilities[capability].may
    for role in ("owner", "admin", "approver", "operator", "member", "auditor", "compliance_officer"):
        response = await site.client.request(method, path, json={}, headers=await site.bearer(role))
        if role in holders and holders[role] != "read":
            assert response.status_code != 403, (role, response.text)
        else:
            found = problem(response, 403, "forbidden")
            assert found["capability"] == capability


async def test_another_tenants_id_is_not_found(site: Site) -> None:
    from tests.unit.gateway.fake_site import profile

    theirs = await site.user("member", tenant=profile("theirs"))
    owner = await site.bearer("owner")
    for path in (f"/api/v1/users/{theirs.user_id}",):
        problem(await site.client.get(path, headers=owner), 404, "not_found")
    changed = await site.client.patch(f"/api/v1/users/{theirs.user_id}", json={"roles": ["owner"]}, headers=owner)
    problem(changed, 404, "not_found")
    problem(await site.client.get(f"/api/v1/actions/{ID}", headers=owner), 404, "not_found")
    listed = (await site.client.get("/api/v1/users", headers=owner)).json()["items"]
    assert str(theirs.user_id) not in {user["user_id"] for user in listed}
