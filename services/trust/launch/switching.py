"""Asks operating, before a connector is switched live, whether the launch gates let it. No answer is no."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from libs.contracts.errors import DealixError
from libs.contracts.launch import LiveAllowedRequest
from libs.contracts.subjects import LIVE_ALLOWED
from libs.runtime.bus import Bus
from services.trust.domain.decide import Prepared

LIVE_FLAG_CHANGE = "live_flag_change"
CLEAR, OPEN, UNKNOWN = "clear", "open", "unknown"

Gates = Callable[[UUID], Awaitable[str]]
"""How a tenant's launch gates stand: clear, open or unknown."""


@dataclass(frozen=True, slots=True)
class Held:
    """What is held back for reasons of its tenant: whose control fails, and how the launch gates of who would switch live stand."""

    controls: Collection[UUID] = ()
    gates: Mapping[UUID, str] = field(default_factory=dict)

    def gate(self, prepared: Prepared) -> str:
        """For an action that would switch a connector live; `none` for any other."""
        return self.gates.get(prepared.evaluation.tenant_id, UNKNOWN) if switches_on(prepared) else "none"


def switches_on(prepared: Prepared) -> bool:
    """Whether an action's effect could be a switch to live: whatever does not plainly say off."""
    return prepared.evaluation.effect == LIVE_FLAG_CHANGE and prepared.payload.get("value") is not False


class LaunchGates:
    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def __call__(self, tenant: UUID) -> str:
        try:
            reply = await self._bus.call(LIVE_ALLOWED, LiveAllowedRequest(tenant_id=tenant))
        except DealixError:
            return UNKNOWN
        return CLEAR if reply.allowed else OPEN


async def gates_of(prepared: Sequence[Prepared], ask: Gates | None) -> dict[UUID, str]:
    """The gates of every tenant for whom something would be switched live; nobody else's are asked for."""
    tenants = {p.evaluation.tenant_id for p in prepared if switches_on(p)}
    return {tenant: await ask(tenant) if ask is not None else UNKNOWN for tenant in tenants}
