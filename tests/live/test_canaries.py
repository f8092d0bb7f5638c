"""Canaries on real rows: rolled back on error rate and on deny rate, not on too few runs; over HTTP and the command line."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio

from libs.contracts.canaries import (
    AssignRun,
    CanariesRequest,
    Canary,
    CanaryChange,
    CanaryGet,
    CanaryKind,
    CanaryRunsRequest,
    CanaryState,
    ChangeCanary,
    Counts,
    ReportRun,
    RunOutcome,
    StartCanary,
)
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import Page, Plane, Principal, PrincipalKind, new_id
from libs.runtime.database import Database
from libs.runtime.plane import utc_now
from services.execution.canaries.choosing import Canaries
from services.execution.canaries.errors import AlreadyTaking, Ended, PercentMissing, UnknownVersion
from services.execution.canaries.handlers import CanaryDesk
from services.execution.canaries.store import CanaryRows, Run
from services.execution.canaries.watch import Watch
from services.execution.router import record_only
from tests.live.migrated import migrated_postgres, plane_database
from tests.live.served import served
from tests.unit.execution.store_promises import job

pytestmark = [pytest.mark.live, pytest.mark.asyncio]


@pytest.fixture(scope="module")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with migrated_postgres(tmp_path_factory.mktemp("canaries")) as url:
        yield url


@pytest_asyncio.fixture
async def database(admin_url: str) -> AsyncIterator[Database]:
    async with plane_database(admin_url, Plane.EXECUTION) as made:
        yield made


class Replica:
    """One replica's part in canaries, over a real database."""

    def __init__(self, database: Database) -> None:
        runtime: Any = SimpleNamespace(database=database, now=utc_now)
        self.database = database
        self.canaries = Canaries({(CanaryKind.HANDLER, "tag"): {"2": record_only}})  # type: ignore[dict-item]  # never performs here
        self.watch = Watch(runtime, self.canaries)
        self.canaries.recorder = self.watch.record
        self.desk = CanaryDesk(runtime, self.canaries, self.watch)

    async def ran(self, tenant: UUID, canary: UUID, group: str, **ended: int) -> None:
        """Actions of a group that ended in these states, as rows."""
        runs = []
        async with self.database.batch(tenant) as work:
            for state, count in ended.items():
                for _ in range(count):
                    made = job(tenant)
                    await work.connection.execute(
                        "insert into execution.actions (tenant_id, action_id, action_type, effect, state, attempt, resource_type, resource_id, "
                        "payload, salt, principal, reason, run_id, headers, trace_id, timeline) values ($1, $2, 'tag', 'tag', $3, 1, 'tenant', "
                        "'x', '{}', '', '{}', '', '', '{}', '', '[]')",
                        tenant, made.action_id, state,
                    )  # fmt: skip
                    runs.append(Run(tenant, canary, made.action_id, 1, group, "2" if group == "canary" else ""))
            await CanaryRows(work.connection).record(runs)


@pytest.fixture
def replica(database: Database) -> Replica:
    return Replica(database)


def who(tenant: UUID, role: str = "owner", kind: PrincipalKind = PrincipalKind.USER) -> Principal:
    return Principal(id="user:1", kind=kind, tenant_id=tenant, roles=(role,))


def asked(tenant: UUID, **changes: Any) -> StartCanary:
    base = StartCanary(
        principal=who(tenant), canary_id=new_id(), kind=CanaryKind.HANDLER, target="tag", version="2", percent=10
    )
    made: StartCanary = base.evolve(**changes)
    return made


async def now_is(replica: Replica, one: Canary) -> Canary:
    return await replica.desk.get(CanaryGet(principal=who(one.tenant_id), canary_id=one.canary_id))


async def emitted(database: Database, canary: Canary) -> list[str]:
    """Kinds of the ledger entries that left about a canary."""
    async with database.batch() as work:
        rows = await work.connection.fetch(
            "select convert_from(body, 'utf8') body from execution.outbox where subject like '%audit%' order by id"
        )
    found = [json.loads(row["body"]) for row in rows]
    return [one["kind"] for one in found if one["target"] == f"canary:{canary.canary_id}"]


@pytest.mark.parametrize(
    ("canary", "baseline", "why"),
    [
        ({"succeeded": 45, "failed": 5}, {"succeeded": 200}, "error_rate"),
        ({"succeeded": 45, "unknown": 5}, {"succeeded": 200}, "error_rate"),
        ({"succeeded": 40, "refused": 10}, {"succeeded": 200}, "deny_rate"),
        ({"failed": 49}, {"succeeded": 200}, ""),
        ({"succeeded": 45, "failed": 5}, {"succeeded": 180, "failed": 20}, ""),
        ({"failed": 40, "accepted": 30}, {"succeeded": 200}, ""),
    ],
    ids=["errors", "unknowns", "denials", "too few runs", "no worse than the rest", "what waits is no run"],
)
async def test_it_rolls_back_beyond_its_guardrails_and_not_on_too_few_runs(
    replica: Replica, canary: dict[str, int], baseline: dict[str, int], why: str
) -> None:
    tenant = new_id()
    one = await replica.desk.start(asked(tenant))
    await replica.ran(tenant, one.canary_id, "canary", **canary)
    await replica.ran(tenant, one.canary_id, "baseline", **baseline)
    await replica.watch.judge_once()
    found = await now_is(replica, one)
    assert (found.state, found.why) == ((CanaryState.ROLLED_BACK, why) if why else (CanaryState.RUNNING, ""))
    assert (tenant in replica.canaries.snapshot.of) is not bool(why)
    rolled = ["canary.rolled_back"] if why else []
    assert await emitted(replica.database, one) == ["canary.started", *rolled]


async def test_runs_older_than_the_window_do_not_count(replica: Replica) -> None:
    tenant = new_id()
    one = await replica.desk.start(asked(tenant))
    await replica.ran(tenant, one.canary_id, "canary", failed=60)
    async with replica.database.batch(tenant) as work:
        await work.connection.execute(
            "update execution.canary_runs set at = at - interval '16 minutes' where tenant_id = $1", tenant
        )
    await replica.watch.judge_once()
    found = await now_is(replica, one)
    assert (found.state, found.canary) == (CanaryState.RUNNING, Counts())


async def test_two_replicas_that_judge_at_once_roll_back_once_and_both_know(
    database: Database, replica: Replica
) -> None:
    tenant, other = new_id(), Replica(database)
    one = await replica.desk.start(asked(tenant))
    await other.watch.refresh()
    assert tenant in other.canaries.snapshot.of
    await replica.ran(tenant, one.canary_id, "canary", failed=60)
    await asyncio.gather(replica.watch.judge_once(), other.watch.judge_once())
    assert (await emitted(database, one)).count("canary.rolled_back") == 1
    assert tenant not in other.canaries.snapshot.of and tenant not in replica.canaries.snapshot.of


async def test_a_restarted_replica_takes_up_what_runs(database: Database, replica: Replica) -> None:
    tenant = new_id()
    one = await replica.desk.start(asked(tenant, percent=30))
    fresh = Replica(database)
    await fresh.watch.refresh()
    (found,) = fresh.canaries.snapshot.of[tenant]
    assert (found.canary_id, found.percent) == (one.canary_id, 30)


async def test_what_is_promoted_takes_everything_and_what_is_stopped_nothing(replica: Replica) -> None:
    tenant = new_id()
    one = await replica.desk.start(asked(tenant))

    async def change(change: str, **more: Any) -> Canary:
        asked = ChangeCanary(principal=who(tenant), canary_id=one.canary_id, change=CanaryChange(change), **more)
        return await replica.desk.change(asked)

    assert (await change("resize", percent=40)).percent == 40
    assert (await change("promote")).state is CanaryState.PROMOTED
    assert replica.canaries.snapshot.of[tenant][0].promoted
    await replica.ran(tenant, one.canary_id, "canary", failed=60)
    await replica.watch.judge_once()
    assert (await now_is(replica, one)).state is CanaryState.PROMOTED
    assert (await change("stop", reason="worse")).why == "worse"
    assert tenant not in replica.canaries.snapshot.of
    with pytest.raises(Ended):
        await change("promote")
    with pytest.raises(PercentMissing):
        await change("resize")


async def test_starting_refuses_what_does_not_run_here_a_second_one_and_those_who_may_not(replica: Replica) -> None:
    tenant = new_id()
    with pytest.raises(UnknownVersion) as refused:
        await replica.desk.start(asked(tenant, version="9"))
    assert "2" in refused.value.en and refused.value.ar
    for kind, target in ((CanaryKind.AGENT, "outreach_writer"), (CanaryKind.MODEL, "local")):
        with pytest.raises(UnknownVersion):
            await replica.desk.start(asked(tenant, kind=kind, target=target, version="outreach-9"))
    first = asked(tenant)
    assert await replica.desk.start(first) == await replica.desk.start(first)
    with pytest.raises(AlreadyTaking):
        await replica.desk.start(asked(tenant))
    for principal in (who(tenant, "member"), who(tenant, "owner", PrincipalKind.AGENT)):
        with pytest.raises(Forbidden):
            await replica.desk.start(asked(tenant, principal=principal))


async def test_another_tenants_canary_cannot_be_seen_or_changed(replica: Replica) -> None:
    one, other = await replica.desk.start(asked(new_id())), who(new_id())
    with pytest.raises(NotFound):
        await replica.desk.get(CanaryGet(principal=other, canary_id=one.canary_id))
    with pytest.raises(NotFound):
        await replica.desk.change(ChangeCanary(principal=other, canary_id=one.canary_id, change=CanaryChange.STOP))
    assert (await replica.desk.page(CanariesRequest(principal=other))).items == ()


async def test_an_agents_run_is_assigned_recorded_and_reported(replica: Replica) -> None:
    tenant = new_id()
    one = await replica.desk.start(
        asked(tenant, kind=CanaryKind.AGENT, target="outreach_writer", version="outreach-3", percent=100)
    )
    runs = [new_id() for _ in range(55)]
    for number, run in enumerate(runs):
        given = AssignRun(tenant_id=tenant, kind=CanaryKind.AGENT, target="outreach_writer", run_id=run)
        assert (await replica.desk.assign(given)).version == "outreach-3"
        assert (await replica.desk.assign(given)).version == "outreach-3"
        outcome = RunOutcome.FAILED if number < 5 else RunOutcome.SUCCEEDED
        await replica.desk.report(ReportRun(tenant_id=tenant, run_id=run, outcome=outcome))
    page = await replica.desk.runs(
        CanaryRunsRequest(principal=who(tenant), canary_id=one.canary_id, page=Page(limit=50))
    )
    assert len(page.items) == 50 and page.next_cursor is not None
    assert (await now_is(replica, one)).canary == Counts(runs=55, errors=5, denied=0)
    await replica.watch.judge_once()
    assert (await now_is(replica, one)).state is CanaryState.ROLLED_BACK


async def test_over_http_and_the_command_line(tmp_path: Path) -> None:
    async with served(tmp_path, Plane.TRUST, Plane.EXECUTION, Plane.DATA, Plane.OPERATING, Plane.GATEWAY) as one:
        body = {
            "kind": "agent",
            "target": "outreach_writer",
            "version": "outreach-3",
            "percent": 25,
            "guardrails": {"min_runs": 80},
        }
        key = {"Idempotency-Key": "canary-1"}
        started = await one.http.post("/api/v1/canaries", json=body, headers=key)
        assert started.status_code == 201, started.text
        again = await one.http.post("/api/v1/canaries", json=body, headers=key)
        assert again.json()["canary_id"] == started.json()["canary_id"]
        assert started.json()["guardrails"]["min_runs"] == 80 and started.json()["guardrails"]["window_minutes"] == 15
        second = await one.http.post("/api/v1/canaries", json=body)
        assert (second.status_code, second.json()["code"]) == (409, "canary_exists")
        unknown = {**body, "kind": "handler", "target": "tag"}
        refused = await one.http.post("/api/v1/canaries", json=unknown, headers={"Accept-Language": "ar"})
        assert (refused.status_code, refused.json()["code"]) == (422, "unknown_version")
        assert "الإصدار" in refused.json()["detail"]
        for bad in ({**body, "percent": 0}, {**body, "kind": "planet"}, {**body, "percent": "25"}):
            assert (await one.http.post("/api/v1/canaries", json=bad)).status_code == 422
        assert (await one.http.get(f"/api/v1/canaries/{new_id()}")).status_code == 404
        assert (await one.http.get("/api/v1/plugins")).json()["items"] == []

        async def command(*words: str) -> dict[str, Any]:
            environment = os.environ | {"DEALIX_API_KEY": one.http.headers["Authorization"].split()[1]}
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "dev.cli", "canaries", *words, "--json", "--base-url", str(one.http.base_url),
                env=environment, stdout=asyncio.subprocess.PIPE,
            )  # fmt: skip
            told, _ = await process.communicate()
            assert process.returncode == 0
            return dict(json.loads(told))

        canary_id = started.json()["canary_id"]
        assert [c["canary_id"] for c in (await command("list"))["items"]] == [canary_id]
        assert (await command("stop", canary_id, "--reason", "enough"))["state"] == "stopped"
        assert (await command("show", canary_id))["why"] == "enough"
