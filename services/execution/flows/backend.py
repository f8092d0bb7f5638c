"""The port to what carries flows: another durable engine could stand behind it. `sql.py` and `memory.py` keep the same promises.

- What a unit of work writes commits together: the transition, its actions, its children, its signals, its events.
- A lease belongs to one owner until its time is over or a command fences it; a write under a lost lease is refused, all of it.
- A wake is never lost: a signal, a settled action and an ended child make their flow due in the transaction that tells of them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, NamedTuple, Protocol
from uuid import UUID

from libs.contracts.flows import Flow, FlowRevision, FlowStatus
from libs.contracts.message import Message
from libs.contracts.subjects import Event
from libs.runtime.database import SessionWork
from services.execution.flows.domain.run import Facts, Revision, Run, Signal, Transition
from services.execution.store import Unit

LEASE_SECONDS = 30

Key = tuple[UUID, UUID]
"""A flow: its tenant and its id."""


class Lease(NamedTuple):
    """One flow in one replica's hand. `epoch` fences: every claim and every command raises it."""

    tenant_id: UUID
    flow_id: UUID
    epoch: int

    @property
    def key(self) -> Key:
        return self.tenant_id, self.flow_id


class Saved(NamedTuple):
    """A transition to write. `keep` leaves the lease with its owner, who has questions to ask; `again` makes the flow due at once."""

    made: Transition
    keep: bool = False


class FlowUnit(Protocol):
    """One transaction over a few tenants. `actions` is the same transaction as the plane's other rooms see it."""

    @property
    def actions(self) -> Unit: ...

    async def now(self) -> datetime:
        """The storage's clock: one for all replicas."""
        ...

    async def held(self, leases: Sequence[Lease]) -> list[Run]:
        """Lock and load the flows whose lease still holds. The others are somebody else's now."""
        ...

    async def take(self, tenant_id: UUID, flow_id: UUID) -> Run | None:
        """Lock and load a flow for a command, and fence whoever has it in hand."""
        ...

    async def facts(self, runs: Sequence[Run], now: datetime) -> dict[Key, Facts]: ...

    async def add(self, made: Sequence[Transition]) -> set[Key]:
        """Keep new flows, each named once, due at once. Returns those that were not there before; of the others nothing is changed."""
        ...

    async def save(self, saved: Sequence[Saved], now: datetime) -> None: ...

    async def add_signal(self, tenant_id: UUID, flow_id: UUID, signal: Signal) -> bool:
        """Keep a signal and make its flow due. False when the same signal is there; raises SignalIdTaken when another one is."""
        ...

    async def wake(self, flows: Collection[Key]) -> None: ...

    async def revive(self, run: Run) -> None:
        """Make a flow due even where it has ended: its parent is rolled back."""
        ...

    async def about(self, tenant_id: UUID, flow: str, **named: str) -> list[UUID]:
        """Flows of a name that have not ended and whose state holds these values, as `contact_id="…"`."""
        ...

    async def get(self, tenant_id: UUID, flow_id: UUID) -> Flow | None: ...

    async def run(self, tenant_id: UUID, flow_id: UUID) -> Run | None: ...

    async def flows(
        self, tenant_id: UUID, flow: str | None, status: FlowStatus | None, before: UUID | None, limit: int
    ) -> list[Flow]: ...

    async def revisions(self, tenant_id: UUID, flow_id: UUID, after: int, limit: int) -> list[FlowRevision]: ...

    async def history(self, tenant_id: UUID, flow_id: UUID) -> list[Revision]: ...

    def emit(self, event: Event[Any], message: Message) -> UUID: ...


class ExecutionBackend(Protocol):
    def unit(self, *tenants: UUID) -> AbstractAsyncContextManager[FlowUnit]: ...

    def join(self, work: SessionWork) -> AbstractAsyncContextManager[FlowUnit]:
        """Take part in an event handler's own unit of work, so that both commit together."""
        ...

    async def claim(self, owner: str, limit: int) -> list[Lease]:
        """Lease flows that are due and that nobody has in hand."""
        ...

    async def heartbeat(self, owner: str, leases: Sequence[Lease]) -> set[UUID]:
        """Go on holding leases. Returns the flows that are still held."""
        ...

    async def live(self) -> set[tuple[str, int]]:
        """Names and versions of all flows that have not ended, of all tenants."""
        ...

    async def counts(self) -> Mapping[str, int]:
        """How many flows are live, and how many of them are due."""
        ...
