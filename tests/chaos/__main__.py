"""The chaos run: real processes, real servers, real kills; the promises are checked at the end and counted.

python -m tests.chaos --short     about a minute, for every change
python -m tests.chaos             the long form
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg

from dev.embedded import Servers
from libs.contracts.errors import DealixError
from libs.contracts.execution import ActionItem, SubmitRequest
from libs.contracts.flows import StartFlow
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.subjects import APPROVAL, APPROVALS, APPROVE, START_FLOW, SUBMIT
from libs.contracts.trust import ApprovalRequest, ApprovalsRequest, ApprovalState, ApproveRequest, ResourceRef
from libs.runtime.bus import NatsBus
from tests.chaos import invariants
from tests.chaos.links import Link, link
from tests.chaos.processes import Replica
from tests.live.harness import prepared_servers

BATCH = 20
FLOWS: tuple[tuple[str, dict[str, str]], ...] = (
    ("audit_write", {"subject_id": "deal-1", "statement": "The storm was here."}),
    ("health_check", {"note": "storm"}),
)
"""Flows without a question to an agent: what they wait for is trust and the database, which the storm hits."""


@dataclass
class Storm:
    """The load, the faults and what was promised."""

    servers: Servers
    bus: NatsBus
    replicas: list[Replica]
    tenants: list[UUID]
    random: random.Random
    accepted: set[UUID] = field(default_factory=set)
    flows: set[UUID] = field(default_factory=set)
    faults: Counter[str] = field(default_factory=Counter)
    resent: int = 0
    over: bool = False
    raging: bool = False

    def principal(self, tenant: UUID, name: str = "driver", role: str = "operator") -> Principal:
        return Principal(id=f"user:{name}", kind=PrincipalKind.USER, tenant_id=tenant, roles=(role,))

    async def load(self, actions: int) -> None:
        """Submit until enough is accepted and the storm is over. No reply means: the same request again, which must not act twice."""
        while len(self.accepted) < actions or self.raging:
            if len(self.accepted) >= actions:
                await asyncio.sleep(1)  # enough for the count: what comes now is there so that every fault hits work
            tenant = self.random.choice(self.tenants)
            needs_people = self.random.random() < 0.02
            kind = "publish_content" if needs_people else "slack_notify"
            items = tuple(
                ActionItem(
                    action_id=new_id(),
                    action_type=kind,
                    resource=ResourceRef(type="tenant", id=str(tenant)),
                    payload={"text": f"note {number}"},
                )
                for number in range(1 if needs_people else BATCH)
            )
            await self._submit(SubmitRequest(principal=self.principal(tenant), items=items))
            if self.random.random() < 0.05:
                await self._submit(SubmitRequest(principal=self.principal(tenant), items=items))
                self.faults["duplicate submission"] += 1

    async def start_flows(self, count: int) -> None:
        """Start flows all through the storm; no reply means the same start again, which must not begin a second flow."""
        while len(self.flows) < count or self.raging:
            who = self.principal(self.random.choice(self.tenants))
            flow, given = self.random.choice(FLOWS)
            asked = StartFlow(principal=who, flow_id=new_id(), flow=flow, input=given)
            while asked.flow_id not in self.flows:
                try:
                    await self.bus.call(START_FLOW, asked, timeout=3)
                except DealixError:
                    self.resent += 1
                    await asyncio.sleep(0.2)
                else:
                    self.flows.add(asked.flow_id)
            # As fast as the storm needs to have them all: faults shall hit flows from the first to the last.
            await asyncio.sleep(0.05 if len(self.flows) < count else 1)

    async def _submit(self, request: SubmitRequest) -> None:
        while True:
            try:
                reply = await self.bus.call(SUBMIT, request, timeout=3)
            except DealixError:
                self.resent += 1
                await asyncio.sleep(0.2)
                continue
            bad = [result.error.code for result in reply.results if result.error is not None]
            if bad:
                raise invariants.Broken(f"an action was not accepted: {bad[0]}")
            self.accepted |= {result.action_id for result in reply.results}
            return

    async def approve(self) -> None:
        """People who approve whatever waits, through the storm."""
        while not self.over:
            for tenant in self.tenants:
                boss = self.principal(tenant, "boss", "approver")
                try:
                    waiting = await self.bus.call(
                        APPROVALS, ApprovalsRequest(principal=boss, state=ApprovalState.PENDING), timeout=2
                    )
                    for one in waiting.items:
                        shown = await self.bus.call(
                            APPROVAL, ApprovalRequest(principal=boss, approval_id=one.approval_id), timeout=2
                        )
                        vote = ApproveRequest(
                            principal=boss,
                            approval_id=one.approval_id,
                            payload_hash=shown.payload_hash,
                            view_hash=shown.view_hash,
                        )
                        await self.bus.call(APPROVE, vote, timeout=2)
                except DealixError:
                    continue
            await asyncio.sleep(0.5)

    async def rage(self, faults: int, pause: float) -> None:
        kinds: list[tuple[str, float, Callable[[], Awaitable[Any]]]] = [
            ("SIGKILL of a plane", 5, self._kill),
            ("frozen plane", 2, self._freeze),
            ("NATS restart", 1, self.servers.nats.restart),
            ("PostgreSQL restart", 1, self.servers.postgres.restart),
            ("events published again", 2, self._again),
        ]
        if any(replica.links for replica in self.replicas):
            kinds += [("link cut", 3, self._cut), ("slow link", 3, self._slow), ("clock jump", 2, self._jump)]
        # Each kind at least once, however short the run.
        plan = kinds + self.random.choices(kinds, [weight for _, weight, _ in kinds], k=max(0, faults - len(kinds)))
        self.random.shuffle(plan)
        self.raging = True
        try:
            for name, _, strike in plan:
                await asyncio.sleep(self.random.uniform(0.5, 1.5) * pause)
                await strike()
                self.faults[name] += 1
        finally:
            self.raging = False

    async def _kill(self) -> None:
        await self.random.choice(self.replicas).kill()

    async def _freeze(self) -> None:
        await self.random.choice(self.replicas).freeze(self.random.uniform(0.5, 2))

    async def _cut(self) -> None:
        await self.random.choice(self._links()).cut(self.random.uniform(0.2, 2))

    async def _slow(self) -> None:
        await self.random.choice(self._links()).slow(self.random.uniform(1, 3), self.random.uniform(0.02, 0.3))

    def _links(self) -> list[Link]:
        return [one for replica in self.replicas for one in replica.links or ()]

    async def _jump(self) -> None:
        """Minutes to hours, back and forth."""
        offset = self.random.choice((-1, 1)) * self.random.uniform(60, 7200)
        await self.random.choice(self.replicas).jump(offset, self.random.uniform(0.5, 2))

    async def _again(self) -> None:
        """What was published lately goes out once more: consumers must know it."""
        plane = self.random.choice(("execution", "trust"))
        try:
            connection = await asyncpg.connect(self.servers.admin_url)
        except (OSError, asyncpg.PostgresError):
            return
        try:
            await connection.execute(
                f"update {plane}.outbox set published_at = null where id in (select id from {plane}.outbox "
                "where published_at is not null order by published_at desc limit 50)"
            )
        finally:
            await connection.close()

    async def settle(self, db: Callable[[], Awaitable[Any]], limit: float) -> None:
        """Wait until nothing is left to do anywhere."""
        deadline = time.monotonic() + limit
        left = None
        while time.monotonic() < deadline:
            connection = await db()
            try:
                left = await connection.fetchrow(
                    "select (select count(*) from execution.work) work, (select count(*) from trust.ledger_pending) pending, "
                    "(select count(*) from trust.decisions d where grant_id is not null and not exists (select 1 from "
                    "trust.grant_closures g where g.grant_id = d.grant_id)) grants, (select count(*) from execution.actions where state "
                    "in ('accepted', 'dispatched', 'awaiting_approval')) open, "
                    "(select count(*) from execution.flows where status in ('running', 'rolling_back')) flows"
                )
            finally:
                await connection.close()
            if not any(left):
                return
            await asyncio.sleep(1)
        raise invariants.Broken(f"not at rest after {limit:.0f} s: {dict(left or {})}")


async def run(actions: int, flows: int, faults: int, pause: float, seed: int) -> int:
    started, chance = time.monotonic(), random.Random(seed)
    with tempfile.TemporaryDirectory(prefix="dealix-chaos-") as folder:
        data_dir = Path(folder)
        data_dir.chmod(0o755)
        async with prepared_servers(data_dir) as (servers, secrets):
            replicas = [
                Replica(
                    p, n, servers, secrets, data_dir, (link(servers.nats_url, chance), link(servers.admin_url, chance))
                )
                for p, n in (("trust", 1), ("trust", 2), ("execution", 1), ("execution", 2))
            ]
            for replica in replicas:
                await replica.start()
            bus = NatsBus(Plane.GATEWAY, servers.nats_url, secrets.nats_seeds["gateway"])
            await bus.start()
            storm = Storm(servers, bus, replicas, [new_id() for _ in range(10)], chance)
            people = asyncio.create_task(storm.approve())
            try:
                await asyncio.gather(storm.load(actions), storm.start_flows(flows), storm.rage(faults, pause))
                await storm.settle(lambda: asyncpg.connect(servers.admin_url), 180)
                return await report(
                    storm, servers, lambda plane: secrets.database_url(plane, servers.admin_url), started, seed
                )
            finally:
                storm.over = True
                people.cancel()
                await asyncio.gather(people, return_exceptions=True)
                await bus.stop()
                for replica in replicas:
                    await replica.stop()
                    for one in replica.links or ():
                        await one.stop()


async def report(storm: Storm, servers: Servers, url: Callable[[str], str], started: float, seed: int) -> int:
    """Check everything, print counts, and say how many checks failed."""
    checks: list[tuple[str, Callable[[Any, set[UUID]], Awaitable[int]]]] = [
        ("every accepted action is final, at least 99 % succeeded", invariants.all_final),
        ("each effect at most once, none claimed that was not", invariants.at_most_once),
        ("every effect has a grant", invariants.every_effect_has_a_grant),
        ("every grant has an outcome", invariants.every_grant_has_an_outcome),
        ("no nonce was used twice", invariants.no_nonce_twice),
        ("no approval was used twice", invariants.no_approval_twice),
        ("the ledger verifies from entry to root", invariants.ledger_verifies),
        ("every flow came to its end, at least 99 % completed", invariants.flows_ended(storm.flows)),
        ("every flow's history has no gap, and no step of it was done twice", invariants.flows_once),
        ("tenants see their own rows only", invariants.tenants_apart(url)),
    ]
    print(
        f"chaos: seed {seed}, {len(storm.accepted)} actions accepted, {len(storm.flows)} flows started, {storm.resent} requests sent again"
    )
    for name, count in sorted(storm.faults.items()):
        print(f"  fault  {count:5d} × {name}")
    passed = failed = 0
    connection = await asyncpg.connect(servers.admin_url)
    try:
        for name, check in checks:
            try:
                looked = await check(connection, storm.accepted)
                passed += 1
                print(f"  ok     {name} ({looked} looked at)")
            except invariants.Broken as error:
                failed += 1
                print(f"  BROKEN {name}: {error}")
    finally:
        await connection.close()
    print(f"  {sum(storm.faults.values())} faults, {len(checks)} checks, {time.monotonic() - started:.0f} s")
    print(f"{passed} passed, {failed} failed")
    return failed


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--short", action="store_true", help="the form that runs with every change")
    parser.add_argument("--actions", type=int, default=None)
    parser.add_argument("--flows", type=int, default=None)
    parser.add_argument("--faults", type=int, default=None)
    parser.add_argument("--seed", type=int, default=None)
    given = parser.parse_args()
    actions = given.actions or (2_000 if given.short else 20_000)
    faults = given.faults or (12 if given.short else 200)
    flows = given.flows or (60 if given.short else 500)
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    try:
        failed = asyncio.run(run(actions, flows, faults, 1.5 if given.short else 0.7, seed))
    except invariants.Broken as error:
        print(f"chaos: seed {seed}: {error}\n0 passed, 1 failed")
        failed = 1
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
