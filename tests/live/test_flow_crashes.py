"""Flows whose plane is killed at the worst moments, by `kill -9`: nothing is lost and nothing is done twice."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
import pytest_asyncio

from dev.embedded import Servers
from dev.environment import Addresses, plane_environment
from dev.secrets import Secrets
from libs.contracts.errors import CallTimeout, RemoteFault
from libs.contracts.flows import (
    CommandFlow,
    Flow,
    FlowGet,
    FlowRevision,
    FlowStatus,
    FlowVerb,
    RevisionsRequest,
    StartFlow,
)
from libs.contracts.message import Message, Plane, Principal, new_id
from libs.contracts.subjects import COMMAND_FLOW, FLOW, FLOW_REVISIONS, START_FLOW, Call
from libs.runtime.bus import NatsBus
from tests.chaos.processes import Replica
from tests.live.harness import prepared_servers
from tests.live.served import eventually

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

LEASES_END = (
    "update execution.flow_due set lease_until = now() - interval '1 second' where lease_until is not null; "
    "update execution.work set lease_until = now() - interval '1 second' where lease_until is not null"
)
"""What half a minute does to what the dead process had in hand."""


@dataclass
class Stage:
    """Servers, trust and a client; each test brings its own execution."""

    servers: Servers
    secrets: Secrets
    data_dir: Path
    bus: NatsBus
    admin: Any

    async def execution(self, when: str, what: str, mark: Path) -> asyncio.subprocess.Process:
        addresses = Addresses(self.servers.nats_url, self.servers.admin_url, "127.0.0.1", 0, self.data_dir)
        environment = plane_environment("execution", os.environ, self.secrets, addresses)
        environment |= {"DEALIX_TRACE_RATIO": "0", "DEALIX_LOG_LEVEL": "ERROR"}
        with (self.data_dir / "execution.log").open("ab") as log:
            return await asyncio.create_subprocess_exec(
                sys.executable, "-m", "tests.live.crashing", when, what, str(mark), env=environment, stdout=log, stderr=log
            )  # fmt: skip

    async def ask(self, call: Call[Any, Any], request: Message) -> Any:
        """The answer, asked for until there is one: as a client does whose server has died."""
        async with asyncio.timeout(90):
            while True:
                try:
                    return await self.bus.call(call, request, timeout=2)
                except CallTimeout:
                    await asyncio.sleep(0.1)
                except RemoteFault as error:
                    if not error.retryable:
                        raise
                    await asyncio.sleep(0.1)

    async def reaches(self, who: Principal, flow_id: UUID, status: FlowStatus) -> Flow:
        found: Flow | None = None

        async def holds() -> bool:
            nonlocal found
            found = await self.ask(FLOW, FlowGet(principal=who, flow_id=flow_id))
            return found is not None and found.status is status

        await eventually(90, holds)
        assert found is not None
        return found

    async def history(self, who: Principal, flow_id: UUID) -> list[FlowRevision]:
        reply = await self.ask(FLOW_REVISIONS, RevisionsRequest(principal=who, flow_id=flow_id))
        return list(reply.items)

    async def texts(self, who: Principal) -> list[str]:
        """What left by the connector for this tenant."""
        rows = await self.admin.fetch(
            "select request->'body'->>'text' as text from execution.sandbox where tenant_id = $1", who.tenant_id
        )
        return sorted(row["text"] for row in rows)

    async def actions(self, who: Principal) -> list[str]:
        rows = await self.admin.fetch("select state from execution.actions where tenant_id = $1", who.tenant_id)
        return [row["state"] for row in rows]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    data_dir = tmp_path_factory.mktemp("crashes")
    for parent in (data_dir, *data_dir.parents):
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    async with prepared_servers(data_dir) as (servers, secrets):
        trust = Replica("trust", 1, servers, secrets, data_dir)
        await trust.start()
        bus = NatsBus(Plane.GATEWAY, servers.nats_url, secrets.nats_seeds["gateway"])
        await bus.start()
        admin = await asyncpg.connect(servers.admin_url)
        try:
            yield Stage(servers, secrets, data_dir, bus, admin)
        finally:
            await admin.close()
            await bus.stop()
            await trust.stop()


@dataclass
class Patient:
    """One execution plane that dies once and is started again."""

    stage: Stage
    when: str
    what: str
    mark: Path
    process: asyncio.subprocess.Process

    async def dies_and_comes_back(self) -> None:
        assert await asyncio.wait_for(self.process.wait(), 90) == -signal.SIGKILL
        assert self.mark.exists()
        await self.stage.admin.execute(LEASES_END)
        self.process = await self.stage.execution(self.when, self.what, self.mark)

    async def stop(self) -> None:
        if self.process.returncode is None:
            self.process.terminate()
            await self.process.wait()


@pytest_asyncio.fixture(loop_scope="module")
async def patient(stage: Stage, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Patient]:
    when, what = request.param
    mark = tmp_path / "died"
    made = Patient(stage, when, what, mark, await stage.execution(when, what, mark))
    try:
        yield made
    finally:
        await made.stop()


def person() -> Principal:
    return Principal(id="user:1", kind="user", tenant_id=new_id(), roles=("operator",))


def whole(history: list[FlowRevision]) -> None:
    """Without a gap, and no step of it twice."""
    assert [one.seq for one in history] == list(range(1, len(history) + 1))
    assert max(Counter((one.note, one.step) for one in history).values()) == 1


@pytest.mark.parametrize(
    "patient",
    [
        ("before", "submitted:first"),
        ("after", "submitted:first"),
        ("performing", "first"),
        ("before", "submitted:second"),
        ("after", "completed:"),
    ],
    indirect=True,
    ids=":".join,
)
async def test_a_flow_whose_plane_dies_goes_on_and_acts_once(stage: Stage, patient: Patient) -> None:
    who, flow_id = person(), new_id()
    await stage.ask(START_FLOW, StartFlow(principal=who, flow_id=flow_id, flow="two_acts", input={}))
    await patient.dies_and_comes_back()
    await stage.reaches(who, flow_id, FlowStatus.COMPLETED)
    whole(await stage.history(who, flow_id))
    assert await stage.texts(who) == ["first", "second"]
    assert await stage.actions(who) == ["succeeded", "succeeded"]


@pytest.mark.parametrize(
    "patient",
    [
        ("before", "undoing:second"),
        ("after", "undoing:second"),
        ("performing", "undo second"),
        ("before", "undone:second"),
        ("performing", "undo first"),
        ("before", "rolled_back:"),
    ],
    indirect=True,
    ids=":".join,
)
async def test_a_compensation_whose_plane_dies_goes_on_and_undoes_once(stage: Stage, patient: Patient) -> None:
    who, flow_id = person(), new_id()
    await stage.ask(START_FLOW, StartFlow(principal=who, flow_id=flow_id, flow="two_acts", input={}))
    await stage.reaches(who, flow_id, FlowStatus.COMPLETED)
    await stage.ask(COMMAND_FLOW, CommandFlow(principal=who, flow_id=flow_id, verb=FlowVerb.ROLLBACK))
    await patient.dies_and_comes_back()
    done = await stage.reaches(who, flow_id, FlowStatus.ROLLED_BACK)
    history = await stage.history(who, flow_id)
    whole(history)
    assert [one.step for one in history if one.note == "undone"] == ["second", "first"]
    assert [one.tries for one in done.compensations] == [1, 1]
    assert await stage.texts(who) == ["first", "second", "undo first", "undo second"]
    assert await stage.actions(who) == ["succeeded"] * 4


@pytest.mark.parametrize("patient", [("before", "started:"), ("after", "started:")], indirect=True, ids=":".join)
async def test_starts_whose_batch_dies_are_each_one_flow_when_asked_for_again(stage: Stage, patient: Patient) -> None:
    who = person()
    starts = [StartFlow(principal=who, flow_id=new_id(), flow="two_acts", input={}) for _ in range(40)]
    asked = asyncio.gather(*(stage.ask(START_FLOW, one) for one in starts))
    await patient.dies_and_comes_back()
    assert [one.flow_id for one in await asked] == [one.flow_id for one in starts]
    for one in starts:
        await stage.reaches(who, one.flow_id, FlowStatus.COMPLETED)
        whole(await stage.history(who, one.flow_id))
    assert Counter(await stage.texts(who)) == {"first": 40, "second": 40}
