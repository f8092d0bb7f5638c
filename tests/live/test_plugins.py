"""A plugin from its own folder, installed beside running planes: real processes, real servers, nothing of it imported by the core."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dev.embedded import Servers
from dev.environment import Addresses, plane_environment
from dev.secrets import Secrets
from libs.contracts.execution import Action, ActionGet, ActionItem, ActionState, SubmitRequest
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.plugins import PluginsRequest
from libs.contracts.subjects import ACTION, APPROVAL, APPROVE, PLUGINS, SUBMIT
from libs.contracts.trust import ApprovalRequest, ApproveRequest, ResourceRef
from libs.runtime.bus import NatsBus
from tests.live.harness import prepared_servers
from tests.live.served import eventually

pytestmark = [pytest.mark.live, pytest.mark.asyncio]
ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "examples" / "plugin_webinar"
TENANT = new_id()


def person(name: str, role: str) -> Principal:
    return Principal(id=f"user:{name}", kind=PrincipalKind.USER, tenant_id=TENANT, roles=(role,))


def install(target: Path) -> Path:
    """Build the example from its own pyproject.toml and install it where nothing of ours is."""
    copy = target.parent / "source"
    shutil.copytree(EXAMPLE, copy)
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "pip", "install", "--quiet", "--offline", "--no-deps", "--target", target, copy],
        check=True, timeout=120, cwd=target.parent,
    )  # fmt: skip
    return target


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install(tmp_path_factory.mktemp("plugin") / "site")


def start(
    plane: str, servers: Servers, secrets: Secrets, data_dir: Path, site: Path, errors: int | None = None
) -> subprocess.Popen[str]:
    addresses = Addresses(servers.nats_url, servers.admin_url, "127.0.0.1", 0, data_dir)
    # Nothing that another system in this process was told: its credentials would be preferred to these.
    outside = {name: value for name, value in os.environ.items() if not name.startswith("DEALIX_")}
    environment = plane_environment(plane, outside, secrets, addresses) | {"PYTHONPATH": f"{ROOT}:{site}"}
    return subprocess.Popen(
        [sys.executable, "-m", f"services.{plane}"], env=environment, stderr=errors, text=True, cwd=ROOT
    )


@asynccontextmanager
async def planes(data_dir: Path, site: Path) -> AsyncIterator[tuple[NatsBus, Servers]]:
    """Trust and execution with the plugin on their path, and the gateway's bus."""
    async with prepared_servers(data_dir) as (servers, secrets):
        processes = [start(plane, servers, secrets, data_dir, site) for plane in ("trust", "execution")]
        bus = NatsBus(Plane.GATEWAY, servers.nats_url, secrets.nats_seeds["gateway"])
        await bus.start()
        try:
            yield bus, servers
        finally:
            await bus.stop()
            for process in processes:
                process.terminate()
            for process in processes:
                await asyncio.to_thread(process.communicate, timeout=20)


async def run(bus: NatsBus, action_type: str, payload: dict[str, Any]) -> Action:
    who = person("asker", "operator")
    item = ActionItem(
        action_id=new_id(),
        action_type=action_type,
        resource=ResourceRef(type="tenant", id=str(TENANT)),
        payload=payload,
    )
    reply = await bus.call(SUBMIT, SubmitRequest(principal=who, items=(item,)))
    assert reply.results[0].error is None, reply.results[0].error
    return await bus.call(ACTION, ActionGet(principal=who, action_id=item.action_id, wait_seconds=10), timeout=12)


async def test_a_plugins_actions_are_governed_as_ours_are(tmp_path: Path, installed: Path) -> None:
    tmp_path.chmod(0o755)
    async with planes(tmp_path / "data", installed) as (bus, servers):
        who, boss = person("asker", "operator"), person("boss", "approver")

        async def listening() -> bool:
            return bool(await bus.call(PLUGINS, PluginsRequest(principal=who), timeout=2))

        await eventually(30, lambda: _calm(listening()))
        (told,) = (await bus.call(PLUGINS, PluginsRequest(principal=who))).items
        assert (told.name, told.connectors) == ("webinar", ("webinar",))
        assert {task.task_type: task.action_class for task in told.tasks} == {"webinar_open_room": "B", "webinar_score": "A"}  # fmt: skip

        scored = await run(bus, "webinar_score", {"invited": 40, "came": 10})
        assert scored.state is ActionState.SUCCEEDED and scored.action_class == "A" and scored.receipt is not None

        full = await run(bus, "webinar_open_room", {"title": "ندوة", "seats": 501})
        assert full.state is ActionState.REFUSED and [r.code for r in full.reasons] == ["too_many_seats"]

        room = await run(bus, "webinar_open_room", {"title": "ندوة", "seats": 200})
        assert room.state is ActionState.AWAITING_APPROVAL and room.action_class == "B" and room.approval_id is not None
        asked = await bus.call(APPROVAL, ApprovalRequest(principal=boss, approval_id=room.approval_id))
        assert asked.payload == '{"seats":200,"title":"ندوة"}'
        vote = ApproveRequest(
            principal=boss, approval_id=room.approval_id, payload_hash=asked.payload_hash, view_hash=asked.view_hash
        )
        await bus.call(APPROVE, vote)
        await eventually(20, lambda: _succeeded(bus, who, room))
        opened = await bus.call(ACTION, ActionGet(principal=who, action_id=room.action_id))
        assert opened.receipt is not None
        assert (opened.receipt.connector, opened.receipt.operation, opened.receipt.mode) == (
            "webinar",
            "open_room",
            "sandbox",
        )

        await eventually(20, lambda: _ledgered(servers.admin_url, told.digest))


async def _calm(answer: Any) -> bool:
    try:
        return bool(await answer)
    except Exception:
        return False


async def _succeeded(bus: NatsBus, who: Principal, action: Action) -> bool:
    found = await bus.call(ACTION, ActionGet(principal=who, action_id=action.action_id))
    return found.state is ActionState.SUCCEEDED


async def _ledgered(admin_url: str, digest: str) -> bool:
    """Whether the ledger says which code runs, and which plugin stopped an action."""
    db = await asyncpg.connect(admin_url)
    try:
        rows = await db.fetch("select body from trust.ledger_entries where kind in ('plugin.loaded', 'plugin.vetoed')")
    finally:
        await db.close()
    bodies = [bytes(row["body"]).decode() for row in rows]
    return any(digest in body for body in bodies) and any("too_many_seats" in body for body in bodies)


def _edit(site: Path, file: str, before: str, after: str) -> None:
    path = site / "dealix_webinar" / file
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


@pytest.mark.parametrize(
    ("file", "before", "after", "plane", "says"),
    [
        ("plugin.yaml", "webinar_score: webinar_score", "tag: tag", "trust", "redefines the task type tag of Dealix"),
        ("plugin.yaml", "class: B, approvals: A1", "class: A, approvals: A0", "trust", "can't be of class A"),
        ("plugin.yaml", "contract: 1", "contract: 7", "execution", "plugin.yaml of the plugin webinar is wrong: contract"),
        ("__init__.py", '"webinar_score": score', '"webinar_grade": score', "execution", "declares a handler for the task type webinar_score"),
        ("__init__.py", "HookPoint.AFTER_OUTCOME: heard", "HookPoint.BEFORE_DISPATCH: heard", "execution", "declares the hook after_outcome"),
        ("__init__.py", "MOST_SEATS = 500", "MOST_SEATS = 1 / 0", "execution", "can't be loaded: ZeroDivisionError"),
    ],
)  # fmt: skip
async def test_a_broken_plugin_stops_the_start_with_one_sentence(
    tmp_path: Path, servers: tuple[Servers, Secrets], installed: Path, file: str, before: str, after: str, plane: str, says: str
) -> None:  # fmt: skip
    site = tmp_path / "site"
    shutil.copytree(installed, site)
    _edit(site, file, before, after)
    process = start(plane, *servers, tmp_path, site, subprocess.PIPE)
    _, errors = await asyncio.to_thread(process.communicate, timeout=60)
    assert process.returncode == 2
    (sentence,) = re.findall(r"^dealix: (.*)$", errors, flags=re.MULTILINE)
    assert says in sentence and "webinar" in sentence


@pytest.fixture
async def servers(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[Servers, Secrets]]:
    folder = tmp_path_factory.mktemp("refusing")
    folder.chmod(0o755)
    async with prepared_servers(folder / "data") as made:
        yield made


async def test_the_plugins_own_tests_pass_where_it_is_installed(tmp_path: Path, installed: Path) -> None:
    shutil.copytree(EXAMPLE / "tests", tmp_path / "own")
    outcome = await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:cloudcoil", "own"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": f"{ROOT}:{installed}"}, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    assert outcome.returncode == 0, outcome.stdout
    assert "6 passed" in outcome.stdout
