"""The gateway over real HTTP, with its planes on real servers: first start, sign-in, an action's way, an import, the stop."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from libs.contracts.message import Plane
from libs.runtime.settings import SettingsError
from services.gateway.server import HttpServer, bind
from tests.live.harness import System, system

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

ROOT = Path(__file__).resolve().parents[2]
PLANES = (Plane.TRUST, Plane.EXECUTION, Plane.DATA, Plane.OPERATING, Plane.GATEWAY)
BODY = {"action_type": "summarize", "resource": {"type": "lead", "id": "1"}, "payload": {"a": 1}}


@dataclass
class Running:
    system: System
    base: str
    data_dir: Path
    client: httpx.AsyncClient

    @property
    def owner(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.data_dir / "secrets" / "first-owner.json").read_text())
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Running]:
    data_dir = tmp_path_factory.mktemp("gateway-http")
    for parent in (data_dir, *data_dir.parents):
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    os.environ["DEALIX_HTTP_PORT"] = "0"
    try:
        async with system(data_dir, *PLANES) as made:
            runtime = made.runtime(Plane.GATEWAY)
            server = runtime.checks["http"].__self__  # type: ignore[attr-defined]  # a bound method
            assert isinstance(server, HttpServer)
            base = f"http://127.0.0.1:{server.port}"
            secrets = data_dir / "secrets" / "cli.json"
            await _within(10, lambda: asyncio.to_thread(secrets.exists))
            key = json.loads(secrets.read_text())["api_key"]
            async with httpx.AsyncClient(
                base_url=base, timeout=30, headers={"Authorization": f"Bearer {key}"}
            ) as client:
                await _within(10, lambda: _answers(client))
                yield Running(made, base, data_dir, client)
    finally:
        del os.environ["DEALIX_HTTP_PORT"]


async def _within(seconds: float, holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(seconds):
        for _ in range(1_000_000):
            if await holds():
                return
            await asyncio.sleep(0.05)


async def _answers(client: httpx.AsyncClient) -> bool:
    return (await client.get("/api/v1/me")).status_code == 200


async def test_the_first_owners_secrets_are_readable_by_this_account_alone(running: Running) -> None:
    folder = running.data_dir / "secrets"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("first-owner.json", "cli.json"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600


async def test_the_first_owner_signs_in_and_the_next_start_makes_no_other(running: Running) -> None:
    body = {name: running.owner[name] for name in ("email", "password")}
    async with httpx.AsyncClient(base_url=running.base) as browser:
        response = await browser.post("/api/v1/auth/login", json=body)
        assert response.status_code == 200, response.text
        me = (await browser.get("/api/v1/me")).json()
    assert (me["roles"], me["tenant_slug"]) == (["owner"], "demo")
    from services.gateway.app import read_settings, wire
    from services.gateway.authentication import Hasher
    from services.gateway.bootstrap import Bootstrap
    from services.gateway.files import BusFiles
    from services.gateway.store import SqlStore

    runtime = running.system.runtime(Plane.GATEWAY)
    again = wire(
        runtime.bus, SqlStore(runtime.database), read_settings(), BusFiles(runtime.bus), health=runtime.health,
        now=runtime.now, hasher=Hasher(),
    )  # fmt: skip
    before = running.owner
    await Bootstrap(again, running.data_dir).once()
    assert running.owner == before
    assert str(again.demo_tenant) == me["tenant_id"]


async def test_an_action_goes_through_the_planes_once_and_its_trace_begins_at_the_request(running: Running) -> None:
    headers = {"Idempotency-Key": "live-1", "Prefer": "wait=5"}
    first = await running.client.post("/api/v1/actions", json=BODY, headers=headers)
    again = await running.client.post("/api/v1/actions", json=BODY, headers=headers)
    assert (first.status_code, first.json()["state"]) == (200, "succeeded"), first.text
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    path = f"/api/v1/actions/{first.json()['action_id']}/journey"
    for _ in range(100):
        traces = (await running.client.get(path)).json()["traces"]
        roots = [root["name"] for root in traces[0]["roots"]] if traces else []  # spans come as each plane exports them
        if roots == ["POST /api/v1/actions"] and {"execution", "gateway", "trust"} <= set(traces[0]["planes"]):
            break
        await asyncio.sleep(0.1)
    assert traces[0]["trace_id"] == first.headers["x-trace-id"]
    assert roots == ["POST /api/v1/actions"]


async def test_a_restart_of_the_gateway_remembers_the_key_and_the_answer(running: Running) -> None:
    first = await running.client.post("/api/v1/actions", json=BODY, headers={"Idempotency-Key": "live-2"})
    from services.gateway.app import read_settings, wire
    from services.gateway.authentication import Hasher
    from services.gateway.files import BusFiles
    from services.gateway.http.site import application, surround
    from services.gateway.store import SqlStore

    runtime = running.system.runtime(Plane.GATEWAY)
    other = wire(
        runtime.bus, SqlStore(runtime.database), read_settings(), BusFiles(runtime.bus), health=runtime.health,
        now=runtime.now, hasher=Hasher(),
    )  # fmt: skip
    transport = httpx.ASGITransport(app=surround(application(), other))
    headers = {"Authorization": running.client.headers["Authorization"], "Idempotency-Key": "live-2"}
    async with httpx.AsyncClient(transport=transport, base_url="http://replica") as replica:
        again = await replica.post("/api/v1/actions", json=BODY, headers=headers)
        assert again.content == first.content
        changed = await replica.post("/api/v1/actions", json={**BODY, "reason": "x"}, headers=headers)
        assert changed.status_code == 422


async def test_a_list_goes_in_by_the_object_store_and_its_rejects_come_out(running: Running) -> None:
    content = (ROOT / "examples" / "leads.csv").read_bytes()
    response = await running.client.post(
        "/api/v1/targeting/import", files={"file": ("leads.csv", content)}, data={"source": "own_crm"}
    )
    assert response.status_code == 202, response.text
    path = f"/api/v1/targeting/imports/{response.json()['import_id']}"
    for _ in range(200):
        status = (await running.client.get(path)).json()
        if status["state"] in ("completed", "failed", "refused"):
            break
        await asyncio.sleep(0.1)
    assert status["state"] == "completed", status
    counts = status["counts"]
    assert counts["rows"] == 200
    assert sum(value for name, value in counts.items() if name != "rows") == 200
    rejects = (await running.client.get(f"{path}/rejects.csv")).text
    assert rejects.count("\r\n") >= counts["rejected"] + 1


async def test_a_live_stream_says_that_something_changed(running: Running) -> None:
    async with running.client.stream("GET", "/api/v1/events/stream") as stream:
        assert stream.headers["content-type"].startswith("text/event-stream")
        lines = stream.aiter_lines()
        assert await anext(lines) == ": open"
        await running.client.post("/api/v1/actions", json=BODY)
        async with asyncio.timeout(10):
            events = [line async for line in _until(lines, "event: ")]
    assert events[-1] in ("event: approvals", "event: ledger")


async def _until(lines: AsyncIterator[str], start: str) -> AsyncIterator[str]:
    async for line in lines:
        yield line
        if line.startswith(start):
            return


async def test_what_is_typed_in_is_not_in_the_gateways_tables(running: Running) -> None:
    import asyncpg

    connection = await asyncpg.connect(running.system.servers.admin_url)
    try:
        key = json.loads((running.data_dir / "secrets" / "cli.json").read_text())["api_key"]
        for table in ("doors", "users", "sessions", "api_keys", "attempts", "idempotency", "outbox"):
            text = await connection.fetchval(f"select coalesce(string_agg(t::text, ''), '') from gateway.{table} t")
            for secret in (running.owner["password"], key, key.split("_", 2)[2]):
                assert secret not in text
                assert secret.encode().hex() not in text
    finally:
        await connection.close()


async def test_a_taken_port_is_one_sentence(running: Running) -> None:
    port = int(running.base.rsplit(":", 1)[-1])
    with pytest.raises(SettingsError, match=f"Port {port} on 127.0.0.1 is in use; .*DEALIX_HTTP_PORT"):
        bind("127.0.0.1", port)
    with pytest.raises(SettingsError, match="DEALIX_HTTP_HOST"):
        bind("no.such.host.invalid", port)


async def test_the_process_says_so_and_ends(running: Running) -> None:
    port = running.base.rsplit(":", 1)[-1]
    done = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "services.gateway"],
        cwd=ROOT,
        env={**os.environ, "DEALIX_HTTP_PORT": port},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 2
    said = [line for line in done.stderr.splitlines() if line]
    assert len(said) == 1
    assert said[0].startswith(f"dealix: Port {port}")


async def test_a_bound_port_accepts_nobody_else() -> None:
    taken = bind("127.0.0.1", 0)
    with taken, socket.socket() as other, pytest.raises(OSError, match="in use"):
        other.bind(taken.getsockname())


async def test_an_identity_providers_judge_finds_nothing_wrong_with_provisioning(running: Running) -> None:
    """scim2-tester reads what we publish and tries every operation of RFC 7644 on it."""
    import httpx2
    from scim2_client.engines.httpx2 import SyncSCIMClient
    from scim2_tester import Status, check_server

    def judge() -> list[str]:
        headers = {"Authorization": running.client.headers["Authorization"]}
        with httpx2.Client(base_url=f"{running.base}/scim/v2", headers=headers, timeout=30) as client:
            results = check_server(SyncSCIMClient(client))
        assert len(results) > 20
        return [f"{one.title}: {one.reason}" for one in results if one.status not in (Status.SUCCESS, Status.SKIPPED)]

    # Whether somebody may sign in is never unsaid: without `active` a person is active, and the answer says so.
    assert await asyncio.to_thread(judge) == [
        "check_remove_attribute: PATCH modify() did not remove attribute 'active'"
    ]


async def test_who_the_provider_removes_is_out_at_once_and_may_come_back_without_old_rights(running: Running) -> None:
    users = "/scim/v2/Users"
    new = {
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": "Huda@scim.example",
        "displayName": "هدى",
    }
    added = await running.client.post(users, json=new)
    assert (added.status_code, added.json()["active"]) == (201, True), added.text
    again = await running.client.post(users, json={**new, "userName": "huda@SCIM.example"})
    assert (again.status_code, again.json()["scimType"]) == (409, "uniqueness")
    key = added.json()["id"]
    raised = await running.client.patch(f"/api/v1/users/{key}", json={"roles": ["approver"]})
    assert raised.status_code == 200
    password = (await running.client.post(f"/api/v1/users/{key}/password-reset")).json()["password"]
    async with httpx.AsyncClient(base_url=running.base, timeout=30) as person:
        signed_in = await person.post("/api/v1/auth/login", json={"email": "huda@scim.example", "password": password})
        assert signed_in.status_code == 200
        assert (await person.get("/api/v1/me")).status_code == 200
        off = {
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
            "Operations": [{"op": "replace", "path": "active", "value": False}],
        }
        shut = await running.client.patch(f"{users}/{key}", json=off)
        assert (shut.status_code, shut.json()["active"]) == (200, False)
        assert (await person.get("/api/v1/me")).status_code == 401
    assert (await running.client.delete(f"{users}/{key}")).status_code == 204
    assert (await running.client.get(f"{users}/{key}")).status_code == 404
    back = await running.client.post(users, json=new)
    assert (back.status_code, back.json()["id"]) == (201, key)
    assert (await running.client.get(f"/api/v1/users/{key}")).json()["roles"] == ["member"]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/scim/v2/Users", {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"]}, 400),
        ("POST", "/scim/v2/Users", {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": "no body"}, 400),
        ("GET", "/scim/v2/Users?filter=userName%20like%20x", None, 400),
        ("GET", "/scim/v2/Users/not-an-id", None, 404),
        ("GET", "/scim/v2/Users/01930000-0000-7000-8000-000000000001", None, 404),
        ("DELETE", "/scim/v2/Users/01930000-0000-7000-8000-000000000001", None, 404),
    ],
)  # fmt: skip
async def test_bad_provisioning_requests_are_refused_in_scims_own_form(
    running: Running, method: str, path: str, body: Any, status: int
) -> None:
    answer = await running.client.request(method, path, json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/scim+json")
    assert answer.json()["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]


async def test_an_owner_with_a_password_is_out_of_the_providers_reach(running: Running) -> None:
    me = (await running.client.get("/api/v1/me")).json()
    mine = (await running.client.get("/scim/v2/Users", params={"filter": f'userName eq "{me["email"]}"'})).json()
    (found,) = mine["Resources"]
    off = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "active", "value": False}],
    }
    for method, given in (("DELETE", None), ("PATCH", off), ("PUT", {**found, "active": False})):
        refused = await running.client.request(method, f"/scim/v2/Users/{found['id']}", json=given)
        assert refused.status_code == 403, refused.text
    assert (await running.client.get("/api/v1/me")).status_code == 200
    async with httpx.AsyncClient(base_url=running.base) as nobody:
        assert (await nobody.get("/scim/v2/Users")).status_code == 401
