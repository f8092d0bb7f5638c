"""Wires the flows of the plane: definitions, engine, and the calls that are answered."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

from libs.contracts import subjects
from libs.contracts.approvals import Edit
from libs.contracts.consent import ContactStopped
from libs.contracts.inbound import DealMoved, ReplyReceived
from libs.contracts.trust import ApprovalDecided
from libs.runtime.bus import Bus
from libs.runtime.database import SessionWork
from libs.runtime.settings import SettingsError
from services.execution.domain.actions import Job
from services.execution.flows.backend import ExecutionBackend
from services.execution.flows.declared import FLOWS
from services.execution.flows.declared.outreach import OutreachSequence
from services.execution.flows.domain.definition import Definitions
from services.execution.flows.domain.following import EDITED
from services.execution.flows.domain.run import Signal
from services.execution.flows.engine import FlowEngine
from services.execution.flows.handlers import FlowDesk
from services.execution.flows.hours import Hours
from services.execution.router import TaskRouter

ContactHandler = Callable[[SessionWork, ContactStopped], Awaitable[None]]


@dataclass(frozen=True)
class Flows:
    engine: FlowEngine
    backend: ExecutionBackend
    definitions: Definitions

    async def check(self) -> None:
        """Refuse to serve when a live flow's version is not here: it would stand still for ever.

        Raises SettingsError, which names every such version.
        """
        if missing := self.definitions.missing(await self.backend.live()):
            raise SettingsError(
                f"flows that have not ended need versions that this release does not have: {', '.join(missing)}. "
                "Run the release that has them, or migrate those flows first."
            )

    def also_wakes(self, settled: Callable[[UUID], None]) -> Callable[[UUID], None]:
        """`settled`, and a hint to the engine: an action may have moved a flow."""

        def told(action_id: UUID) -> None:
            settled(action_id)
            self.engine.wake.set()

        return told

    def also_stops(self, stopped: ContactHandler) -> ContactHandler:
        """`stopped`, and the sequences about that contact: who said stop is written to no more."""

        async def told(work: SessionWork, event: ContactStopped) -> None:
            await stopped(work, event)
            word = "suppressed" if event.why == "suppressed" else "withdrawn"
            told_by = (word, event.why, "plane:trust", f"{event.why}:{event.at.isoformat()}")
            await self._end(work, event.tenant_id, *told_by, {"contact_id": str(event.contact_id)})

        return told

    async def replied(self, work: SessionWork, event: ReplyReceived) -> None:
        """End the sequences about a person who has answered: from here on people talk."""
        about = {"contact_id": str(event.contact_id)}
        await self._end(work, event.tenant_id, "replied", event.channel, "plane:data", str(event.activity_id), about)

    async def moved(self, work: SessionWork, event: DealMoved) -> None:
        """End the sequences of a deal that stands at another stage, and those of its contact that name no deal."""
        mine: list[dict[str, str]] = [{"deal_id": str(event.deal_id)}]
        if event.contact_id is not None:
            mine.append({"contact_id": str(event.contact_id), "deal_id": ""})
        told_by = ("stage_changed", event.stage, "plane:data", f"{event.deal_id}:{event.at.isoformat()}")
        await self._end(work, event.tenant_id, *told_by, *mine)

    async def _end(
        self, work: SessionWork, tenant_id: UUID, word: str, note: str, by: str, once: str, *about: dict[str, str]
    ) -> None:
        """Signal every live sequence whose state holds one of `about`; `once` names what happened, so that hearing it twice is one signal."""
        async with self.backend.join(work) as unit:
            found = [await unit.about(tenant_id, OutreachSequence.name, **named) for named in about]
            for flow_id in dict.fromkeys(one for ids in found for one in ids):
                signal = Signal(uuid5(flow_id, once), word, {"note": note}, by)
                await unit.add_signal(tenant_id, flow_id, signal)
        work.then(self.engine.wake.set)

    async def edited(self, work: SessionWork, event: ApprovalDecided, edit: Edit, run_id: str) -> None:
        """Tell the flow whose action people have edited: it goes on with the one that took its place."""
        flow_id = _flow_of(run_id)
        if flow_id is None:
            return
        told = {"was": str(event.action_id), "action_id": str(edit.action_id), "payload": edit.payload}
        async with self.backend.join(work) as unit:
            if await unit.run(event.tenant_id, flow_id) is None:
                return
            signal = Signal(uuid5(edit.action_id, EDITED), EDITED, told, edit.editor.id)
            await unit.add_signal(event.tenant_id, flow_id, signal)
        work.then(self.engine.wake.set)

    async def live(self) -> float:
        return float((await self.backend.counts())["live"])


def _flow_of(run_id: str) -> UUID | None:
    """The flow that an action's run names; None for a run that is no flow."""
    try:
        return UUID(run_id.removeprefix("flow:")) if run_id.startswith("flow:") else None
    except ValueError:
        return None


def carry(
    backend: ExecutionBackend,
    bus: Bus,
    router: TaskRouter,
    instance: str,
    take: Callable[[Sequence[Job]], None],
    definitions: Definitions | None = None,
    *,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Flows:
    """Answer everything about flows over any backend."""
    known = definitions or Definitions(FLOWS)
    engine = FlowEngine(backend, known, bus, router, instance, take, Hours(bus, now))
    desk = FlowDesk(backend, known, engine)
    bus.serve(subjects.START_FLOW, desk.start)
    bus.serve(subjects.START_FLOWS, desk.start_many)
    bus.serve(subjects.FLOWS, desk.list)
    bus.serve(subjects.FLOW, desk.get)
    bus.serve(subjects.FLOW_REVISIONS, desk.revisions)
    bus.serve(subjects.FLOW_KINDS, desk.kinds)
    bus.serve(subjects.SIGNAL_FLOW, desk.signal)
    bus.serve(subjects.COMMAND_FLOW, desk.command)
    return Flows(engine, backend, known)
