"""Canaries of agents on real servers: drafts are written by the version that execution says, and one that refuses is rolled back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.agents import AgentVerdict
from libs.contracts.message import Plane, new_id
from services.decision.agents.choosing import Asked, Choosing, Ended
from services.decision.agents.conversations import Conversations
from tests.live.served import Served, eventually, served

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

API = "/api/v1"
LEADS = (
    "company,contact,email,phone,sector\n"
    "شركة الواحة,سارة القحطاني,sara@waha.example,,retail\n"
    "شركة الديار,خالد العتيبي,khalid@diyar.example,,construction\n"
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Served]:
    async with served(tmp_path_factory.mktemp("agent-canaries")) as made:
        yield made


async def start(running: Served, **more: Any) -> dict[str, Any]:
    body = {"kind": "agent", "target": "outreach_writer", "version": "outreach-3", "percent": 100, **more}
    answer = await running.http.post(f"{API}/canaries", json=body)
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def stop(running: Served, canary: dict[str, Any]) -> None:
    await running.http.post(f"{API}/canaries/{canary['canary_id']}/stop", json={"reason": "the test is over"})


async def test_a_draft_is_written_by_the_version_of_the_canary_and_told(running: Served) -> None:
    canary = await start(running)
    await running.imported(LEADS, source="website_form")

    async def drafted() -> bool:
        return len((await running.get("/drafts"))["items"]) == 2

    await eventually(60, drafted)
    versions = {one["provenance"]["prompt_version"] for one in (await running.get("/drafts"))["items"]}
    assert versions == {"outreach-3-ar"}
    runs = (await running.get(f"/canaries/{canary['canary_id']}/runs"))["items"]
    assert {(one["group"], one["version"]) for one in runs} == {("canary", "outreach-3")}

    async def told() -> bool:
        found = (await running.get(f"/canaries/{canary['canary_id']}"))["canary"]
        return bool(found == {"runs": 2, "errors": 0, "denied": 0})

    await eventually(20, told)
    await stop(running, canary)


async def test_a_version_that_breaks_is_answered_for_and_rolled_back_by_itself(running: Served) -> None:
    canary = await start(running, guardrails={"min_runs": 3})
    tenant = (await running.get("/me"))["tenant_id"]
    runtime = running.system.runtime(Plane.DECISION)
    choosing = Choosing(runtime, Conversations(runtime.database).add)

    def asked() -> Asked:
        return Asked(UUID(tenant), "user:1", "run", "outreach_writer", {}, "Draft", new_id())

    def ended(_: str) -> Ended:
        return Ended(AgentVerdict.ANSWERED)

    async def work(version: str) -> str:
        if version:
            raise KeyError("a text that is not there")
        return "answered"

    for _ in range(3):
        answer = await choosing.run(asked(), work, ended)
        assert answer == "answered"

    async def rolled_back() -> bool:
        state = (await running.get(f"/canaries/{canary['canary_id']}"))["state"]
        return bool(state == "rolled_back")

    await eventually(30, rolled_back)
    assert (await running.get(f"/canaries/{canary['canary_id']}"))["why"] == "error_rate"
    ran: list[str] = []

    async def after(version: str) -> str:
        ran.append(version)
        return version

    async def usual() -> bool:
        version = await choosing.run(asked(), after, ended)
        return version == ""

    await eventually(20, usual)


async def test_a_version_that_nobody_approved_cannot_be_started(running: Served) -> None:
    for target, version in (("outreach_writer", "outreach-9"), ("voice_call", "1"), ("qa_reviewer", "1")):
        body = {"kind": "agent", "target": target, "version": version, "percent": 100}
        answer = await running.http.post(f"{API}/canaries", json=body, headers={"Accept-Language": "ar"})
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_version")
