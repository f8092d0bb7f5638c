"""The whole system over real HTTP, for tests that speak as the first owner does."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from libs.contracts.business_time import RIYADH
from libs.contracts.message import Plane
from services.gateway.server import HttpServer
from tests.live.harness import System, system

API = "/api/v1"
ENDED = ("completed", "refused", "failed", "undone", "cancelled")


async def eventually(seconds: float, holds: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something holds. Raises TimeoutError."""
    async with asyncio.timeout(seconds):
        for _ in range(1_000_000):
            if await holds():
                return
            await asyncio.sleep(0.05)


def days_ago(days: int) -> str:
    """A day in Riyadh, counted back from today, as 2026-11-22: what is compared with today must not lie in a fixed year."""
    return (datetime.now(RIYADH) - timedelta(days=days)).date().isoformat()


@dataclass
class Served:
    """A running system and a client that holds the first owner's key."""

    system: System
    http: httpx.AsyncClient

    async def answers(self) -> bool:
        return (await self.http.get("/api/v1/me")).status_code == 200

    async def get(self, path: str, **params: Any) -> Any:
        """What is at a path below `/api/v1`, with or without that."""
        answer = await self.http.get(_under_api(path), params=params)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()

    async def post(self, path: str, body: Any, status: int = 201) -> Any:
        """What a path answers to `body`, which it has to answer with `status`."""
        answer = await self.http.post(_under_api(path), json=body)
        assert answer.status_code == status, (path, answer.status_code, answer.text)
        return answer.json()

    async def upload(self, text: str, *, name: str = "leads.csv", source: str = "own_crm", **form: str) -> str:
        """Start an import; its id."""
        answer = await self.http.post(
            "/api/v1/targeting/import", data={"source": source, **form}, files={"file": (name, text.encode())}
        )
        assert answer.status_code == 202, answer.text
        return str(answer.json()["import_id"])

    async def ended(self, import_id: str, *, within: float = 60) -> dict[str, Any]:
        """The status of an import once it has ended."""
        async with asyncio.timeout(within):
            while True:
                status: dict[str, Any] = (await self.http.get(f"/api/v1/targeting/imports/{import_id}")).json()
                if status["state"] in ENDED:
                    return status
                await asyncio.sleep(0.05)

    async def imported(self, text: str, **more: str) -> dict[str, Any]:
        return await self.ended(await self.upload(text, **more))


def _under_api(path: str) -> str:
    return path if path.startswith(API) else f"{API}{path}"


@asynccontextmanager
async def served(data_dir: Path, *planes: Plane) -> AsyncIterator[Served]:
    """The planes, started, with the gateway on a free port."""
    for parent in (data_dir, *data_dir.parents):
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)  # as root the database runs under another account
    os.environ["DEALIX_HTTP_PORT"] = "0"
    try:
        async with system(data_dir, *planes) as made:
            server = made.runtime(Plane.GATEWAY).checks["http"].__self__  # type: ignore[attr-defined]  # a bound method
            assert isinstance(server, HttpServer)
            key_file = data_dir / "secrets" / "cli.json"
            await eventually(20, lambda: asyncio.to_thread(key_file.exists))
            key = json.loads(await asyncio.to_thread(key_file.read_text))["api_key"]
            async with httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{server.port}", timeout=60, headers={"Authorization": f"Bearer {key}"}
            ) as http:
                one = Served(made, http)
                await eventually(20, one.answers)
                yield one
    finally:
        os.environ.pop("DEALIX_HTTP_PORT", None)
