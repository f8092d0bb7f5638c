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
        if traces and {"execution", "gateway", "trust"} <= set(traces[0]["planes"]) and len(traces[0]["roots"]) == 1:
            break
        await asyncio.sleep(0.1)
    assert traces[0]["trace_id"] == first.headers["x-trace-id"]
    assert [root["name"] for root in traces[0]["roots"]] == ["POST /api/v1/actions"]


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
            for secret in (running.owner["password"], key, key.rsplit("_", 1)[-1]):
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
