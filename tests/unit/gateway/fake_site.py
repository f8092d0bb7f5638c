"""The gateway with its real edge and routes, over the bus in memory and planes that answer what a test tells them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import argon2
import httpx

from libs.contracts.data import TenantProfile
from libs.contracts.errors import NotFound
from libs.contracts.message import Message, Plane, new_id
from libs.contracts.subjects import CALLS, Call
from libs.runtime.testing import FakeClock, MemoryHub
from services.gateway.app import wire
from services.gateway.authentication import Hasher
from services.gateway.domain import keys
from services.gateway.domain.people import ApiKey, User
from services.gateway.files import MemoryFiles
from services.gateway.http.context import Gateway
from services.gateway.http.site import application, surround
from services.gateway.memory import MemoryStore
from services.gateway.settings import GatewaySettings

PASSWORD = "correct horse battery"
SECRET = "only-for-tests-only-for-tests-only"
# As cheap as argon2 gets: what is tested is not the hash.
QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

Answer = Message | Exception | Callable[[Any], Any]


@dataclass
class Planes:
    """Every plane but the gateway: answers by subject, and every request that arrived."""

    hub: MemoryHub
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[tuple[str, Any]] = field(default_factory=list)

    def serve(self) -> None:
        for plane in Plane:
            if plane is not Plane.GATEWAY:
                bus = self.hub.bus(plane)
                for call in CALLS:
                    if call.plane is plane:
                        bus.serve(call, self._handler(call))

    def _handler(self, call: Call[Any, Any]) -> Callable[[Any], Awaitable[Any]]:
        async def handle(request: Any) -> Any:
            self.asked.append((call.subject, request))
            answer = self.answers.get(call.subject, NotFound())
            if isinstance(answer, Exception):
                raise answer
            return answer(request) if callable(answer) else answer

        return handle

    def answer(self, call: Call[Any, Any], answer: Answer) -> None:
        self.answers[call.subject] = answer

    def requests(self, call: Call[Any, Any]) -> list[Any]:
        return [request for subject, request in self.asked if subject == call.subject]


@dataclass
class Site:
    """A running surface. `client` has no credentials of its own."""

    gateway: Gateway
    store: MemoryStore
    planes: Planes
    clock: FakeClock
    files: MemoryFiles
    client: httpx.AsyncClient
    app: Any
    tenant: TenantProfile

    async def user(
        self, *roles: str, email: str = "", tenant: TenantProfile | None = None, business_role: str = "ceo"
    ) -> User:
        """A person with PASSWORD."""
        tenant = tenant or self.tenant
        email = email or f"{roles[0]}-{new_id().hex[-8:]}@a.example"
        authentication = self.gateway.authentication
        async with self.store.unit(tenant.tenant_id) as unit:
            user = User(
                tenant.tenant_id, new_id(), email, roles[0].title(), roles, business_role, await authentication.hasher.hash(PASSWORD),
                False, None, False, 0, False, 1, await unit.now(), "test",
            )  # fmt: skip
            await unit.add_user(user, authentication.email_door(email))
        return user

    async def key(self, user: User, *scopes: str, personal: bool = True, **more: Any) -> str:
        """An API key of the person, as text."""
        text = keys.mint(new_id())
        async with self.store.unit(user.tenant_id) as unit:
            kept = ApiKey(
                user.tenant_id, text.key_id, user.user_id, personal, "test", text.hash(self.gateway.keyring), scopes or ("*",),
                await unit.now(), "test", more.get("expires_at"), None, None,
            )  # fmt: skip
            await unit.add_key(kept, self.gateway.authentication.key_door(text.key_id))
        return str(text)

    async def bearer(self, *roles: str, **more: Any) -> dict[str, str]:
        """Headers of a new person with these roles."""
        return {"Authorization": f"Bearer {await self.key(await self.user(*roles, **more))}"}

    async def sign_in(self, email: str, password: str = PASSWORD, **more: Any) -> httpx.Response:
        return await self.client.post("/api/v1/auth/login", json={"email": email, "password": password, **more})


def profile(slug: str) -> TenantProfile:
    return TenantProfile(
        tenant_id=new_id(), slug=slug, name_en=slug, name_ar=slug, sender_name=slug, sender_email=f"a@{slug}.example",
        opt_out_url=f"https://{slug}.example/out",
    )  # fmt: skip


async def open_site(**settings: Any) -> Site:
    hub, clock, files = MemoryHub(), FakeClock(), MemoryFiles()
    planes = Planes(hub)
    planes.serve()
    bus = hub.bus(Plane.GATEWAY)
    await hub.start()
    store = MemoryStore(bus.database, clock)

    async def health() -> dict[str, str]:
        return {"bus": "ok"}

    made = GatewaySettings(secret_key=SECRET, _env_file=None, **settings)  # type: ignore[call-arg]  # pydantic-settings' own
    gateway = wire(bus, store, made, files, health=health, now=clock, hasher=Hasher(QUICK))
    app = application()
    transport = httpx.ASGITransport(app=surround(app, gateway))
    client = httpx.AsyncClient(transport=transport, base_url="http://dealix.test")
    return Site(gateway, store, planes, clock, files, client, app, profile("ours"))


async def eventually(holds: Callable[[], bool]) -> None:
    """Let other tasks run until something holds. Raises AssertionError when it never does."""
    for _ in range(10_000):
        if holds():
            return
        await asyncio.sleep(0)
    raise AssertionError("it never came true")


def problem(response: httpx.Response, status: int, code: str) -> dict[str, Any]:
    """The problem document of a refusal that is what it should be."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document: dict[str, Any] = json.loads(response.content)
    assert document["code"] == code, document
    assert document["status"] == status
    assert {"type", "title", "detail", "instance", "errors", "trace_id"} <= document.keys()
    return document
