"""Live signals: that something changed, never what. One look at the planes every two seconds a tenant, for all its listeners.

A request that changes something passes through here as well, so that its own tenant sees it at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field

from libs.contracts import data, decision, trust
from libs.contracts.errors import DealixError
from libs.contracts.message import Message, Page, Principal, PrincipalKind, TenantId
from libs.contracts.subjects import APPROVALS, CARDS, CHECKPOINT, IMPORTS
from libs.runtime.bus import Bus

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
LOOK_TIMEOUT = 2.0
SIGNALS = ("approvals", "cards", "imports", "ledger")
QUEUE = 32


@dataclass(eq=False)
class Listener:
    """One open stream: which signals it may hear, and for which role's cards."""

    role: str
    hears: frozenset[str]
    queue: asyncio.Queue[str | None] = field(default_factory=lambda: asyncio.Queue(QUEUE))

    def tell(self, signal: str) -> None:
        # A full queue already says that something changed: the page reads everything anew anyway.
        if signal in self.hears and not self.queue.full():
            self.queue.put_nowait(signal)


class Pulse:
    def __init__(self, bus: Bus, *, every: float = LOOK_SECONDS) -> None:
        self._bus = bus
        self._every = every
        self._listeners: dict[TenantId, set[Listener]] = {}
        self._looks: dict[TenantId, asyncio.Task[None]] = {}

    @property
    def listeners(self) -> int:
        return sum(len(found) for found in self._listeners.values())

    async def listen(self, tenant_id: TenantId, role: str, hears: frozenset[str]) -> AsyncGenerator[str]:
        """Signals of a tenant until the gateway stops or the reader goes away."""
        listener = Listener(role, hears)
        self._listeners.setdefault(tenant_id, set()).add(listener)
        if tenant_id not in self._looks:
            self._looks[tenant_id] = asyncio.create_task(self._watch(tenant_id))
        try:
            while (signal := await listener.queue.get()) is not None:
                yield signal
        finally:
            others = self._listeners[tenant_id]
            others.discard(listener)
            if not others:
                del self._listeners[tenant_id]
                self._looks.pop(tenant_id).cancel()

    def nudge(self, tenant_id: TenantId, *signals: str) -> None:
        """Something was changed through this gateway just now."""
        for listener in self._listeners.get(tenant_id, ()):
            for signal in signals:
                listener.tell(signal)

    async def close(self) -> None:
        """End all streams; for the stop."""
        for listeners in self._listeners.values():
            for listener in listeners:
                while listener.queue.full():
                    listener.queue.get_nowait()
                listener.queue.put_nowait(None)

    async def _watch(self, tenant_id: TenantId) -> None:
        seen: dict[str, bytes] = {}
        while True:
            found = await self._look(tenant_id)
            for name, digest in found.items():
                if name in seen and seen[name] != digest:
                    signal, _, role = name.partition(":")
                    for listener in self._listeners.get(tenant_id, ()):
                        if not role or role == listener.role:
                            listener.tell(signal)
            seen |= found
            await asyncio.sleep(self._every)

    async def _look(self, tenant_id: TenantId) -> dict[str, bytes]:
        """A digest of each thing as it is now. What cannot be read is left out: silence is not a change."""
        who = Principal(
            id="system:gateway", kind=PrincipalKind.SYSTEM, tenant_id=tenant_id, roles=("auditor",), name="gateway"
        )
        looks: dict[str, Callable[[], Awaitable[Message]]] = {
            "approvals": lambda: self._bus.call(
                APPROVALS,
                trust.ApprovalsRequest(principal=who, state=trust.ApprovalState.PENDING, page=Page(limit=50)),
                timeout=LOOK_TIMEOUT,
            ),
            "imports": lambda: self._bus.call(
                IMPORTS, data.ImportsRequest(principal=who, page=Page(limit=10)), timeout=LOOK_TIMEOUT
            ),
            "ledger": lambda: self._bus.call(CHECKPOINT, trust.CheckpointRequest(principal=who), timeout=LOOK_TIMEOUT),
        }
        for role in sorted({listener.role for listener in self._listeners.get(tenant_id, ())}):
            looks[f"cards:{role}"] = self._cards(who, role)
        answers = await asyncio.gather(*(self._digest(look) for look in looks.values()))
        return {name: digest for name, digest in zip(looks, answers, strict=True) if digest is not None}

    def _cards(self, who: Principal, role: str) -> Callable[[], Awaitable[Message]]:
        return lambda: self._bus.call(CARDS, decision.CardsRequest(principal=who, role=role), timeout=LOOK_TIMEOUT)

    async def _digest(self, look: Callable[[], Awaitable[Message]]) -> bytes | None:
        try:
            return hashlib.sha256((await look()).model_dump_json().encode()).digest()
        except DealixError as error:
            log.debug("a look for changes was not answered: %s", error.code)
            return None
