"""The system on eight hosts under load, while hosts are lost, cut off, restarted and taken over; then the promises are checked.

python -m tests.hosts                three NATS servers, PostgreSQL and a standby, two replicas of each plane
python -m tests.hosts --actions N
python -m tests.hosts --from COMMIT  the planes begin as that version; the rolling restart brings them to today's
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import asyncpg

from dev.embedded import Servers
from dev.secrets import Secrets, load_or_create
from libs.contracts.message import Plane, new_id
from libs.runtime.bus import NatsBus
from tests.chaos import invariants
from tests.chaos.__main__ import Storm
from tests.hosts.network import Lan, NoNamespaces
from tests.hosts.release import NoSuchRelease, Release
from tests.hosts.servers import HEALTH, Postgres, Program, nats_cluster, plane_programs

HOSTS = ("nats1", "nats2", "nats3", "db1", "db2", "work1", "work2", "client")


@dataclass
class Site:
    """Everything that runs, and where."""

    lan: Lan
    nats: list[Program]
    postgres: Postgres
    planes: list[Program]
    secrets: Secrets
    nats_url: str
    old: Release
    new: Release
    rights: str
    skipped: list[str] = field(default_factory=list)

    async def lose_nats(self) -> None:
        """One of three is gone for a while: two are a quorum."""
        server = self.nats[1]
        server.kill()
        await asyncio.sleep(5)
        server.start()
        await asyncio.sleep(3)

    async def cut_nats(self) -> None:
        """One of three hears nobody: its clients go to the others, and it catches up."""
        self.lan.cut("nats3")
        await asyncio.sleep(6)
        self.lan.mend("nats3")
        await asyncio.sleep(3)

    async def cut_planes(self) -> None:
        """A host with a replica of each plane hears nobody: its leases end, the other host goes on."""
        self.lan.cut("work2")
        await asyncio.sleep(6)
        self.lan.mend("work2")
        await asyncio.sleep(3)

    async def slow_planes(self) -> None:
        """The same host behind a link of 2 Mbit/s."""
        if not self.lan.slow("work2", "2mbit"):
            self.skipped.append("slow link: the kernel has no tbf queue")
            return
        await asyncio.sleep(6)
        self.lan.hurry("work2")

    async def lose_planes(self) -> None:
        """A host with a replica of each plane loses its power and comes back."""
        mine = [program for program in self.planes if program.host.name == "work1"]
        for program in mine:
            program.kill()
        await asyncio.sleep(2)
        for program in mine:
            program.start()
        await self.ready("work1")

    async def roll(self) -> None:
        """A new version, host by host and plane by plane, under load: first what it adds, then who uses it."""
        if self.old.reference:
            await self.new.migrate(self.postgres.admin_url())
            rights = await self.new.rights()
            for server in self.nats:
                config = Path(server.command[-1])
                config.write_text(config.read_text().replace(self.rights, rights))
                server.reload()
            self.rights = rights
            await self.new.ensure_streams(self.nats_url)
        for program in self.planes:
            await program.stop()
            for name in self.old.environ:
                program.environ.pop(name, None)
            program.start()
            await self.ready(program.host.name)

    @property
    def rolling(self) -> str:
        what = f"rolling upgrade from {self.old.reference}" if self.old.reference else "rolling restart"
        return f"{what}, all {len(self.planes)} planes"

    async def fail_over(self) -> None:
        await self.postgres.fail_over()
        await asyncio.sleep(5)

    async def ready(self, host: str, seconds: float = 90) -> None:
        """Wait until every plane of a host is ready. Raises Broken."""
        until = time.monotonic() + seconds
        waiting = dict(HEALTH)
        while waiting and time.monotonic() < until:
            for plane, port in list(waiting.items()):
                if await asyncio.to_thread(_is_ready, f"http://{self.lan.hosts[host].address}:{port}/readyz"):
                    del waiting[plane]
            await asyncio.sleep(0.1)
        if waiting:
            raise invariants.Broken(f"{host}: {', '.join(waiting)} not ready after {seconds:.0f} s")

    def stop(self) -> None:
        for program in (*self.planes, *self.nats):
            program.kill()
        self.postgres.stop()


@dataclass
class Watch:
    """When work was accepted, so that a fault's cost can be told."""

    storm: Storm
    seen: list[tuple[float, int]] = field(default_factory=list)

    async def run(self) -> None:
        while True:
            self.seen.append((time.monotonic(), len(self.storm.accepted)))
            await asyncio.sleep(0.05)

    def told(self, since: float) -> tuple[float, int]:
        """The longest time without anything accepted since then, and how much was accepted."""
        window = [(at, count) for at, count in self.seen if at >= since]
        longest, last = 0.0, window[0]
        for at, count in window:
            if count != last[1]:
                longest, last = max(longest, at - last[0]), (at, count)
        return max(longest, window[-1][0] - last[0]), window[-1][1] - window[0][1]


async def build(lan: Lan, folder: Path, version: str) -> Site:
    hosts = lan.hosts
    secrets = load_or_create(folder / "secrets.json")
    old, new = (Release(folder / "before", folder / "secrets.json", one) for one in (version, ""))
    old.unpack()
    rights = await old.rights()
    cluster = nats_cluster([hosts[name] for name in HOSTS[:3]], folder, rights)
    for server in cluster:
        server.start()
    (folder / "postgres").mkdir()
    postgres = Postgres(hosts["db1"], hosts["db2"], folder / "postgres")
    await postgres.start()
    await old.migrate(postgres.admin_url())
    nats_url = ",".join(f"nats://{hosts[name].address}:4222" for name in HOSTS[:3])
    for attempt in range(60):
        try:
            await old.ensure_streams(nats_url)
            break
        except Exception:  # the cluster has no leader yet; whatever it is, it shows in the last attempt
            if attempt == 59:
                raise
            await asyncio.sleep(0.5)
    planes = plane_programs([hosts["work1"], hosts["work2"]], nats_url, postgres, secrets, folder, old.environ)
    return Site(lan, cluster, postgres, planes, secrets, nats_url, old, new, rights)


async def run(actions: int, seed: int, version: str) -> int:
    started = time.monotonic()
    lan = Lan(HOSTS)
    lan.build()
    lan.enter("client")
    with tempfile.TemporaryDirectory(prefix="dealix-hosts-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        site: Site | None = None
        try:
            site = await build(lan, folder, version)
            for program in site.planes:
                program.start()
            for host in ("work1", "work2"):
                await site.ready(host)
            print(
                f"hosts: {len(HOSTS)} hosts, {len(site.planes)} planes ready after {time.monotonic() - started:.0f} s, seed {seed}"
            )
            return await storm_over(site, actions, seed)
        finally:
            if site is not None:
                site.stop()
            lan.remove()


async def storm_over(site: Site, actions: int, seed: int) -> int:
    """Load and faults, then the checks. Returns how many failed."""
    bus = NatsBus(Plane.GATEWAY, site.nats_url, site.secrets.nats_seeds["gateway"])
    await bus.start()
    storm = Storm(cast(Servers, None), bus, [], [new_id() for _ in range(10)], random.Random(seed))
    watch = Watch(storm)
    tasks = [asyncio.create_task(storm.approve()), asyncio.create_task(watch.run())]
    load = asyncio.create_task(storm.load(actions))
    faults: list[tuple[str, Callable[[], Awaitable[None]]]] = [
        ("nothing", lambda: asyncio.sleep(5)),
        ("a NATS server lost and back", site.lose_nats),
        ("a NATS server cut off for 6 s", site.cut_nats),
        ("a host with a replica of each plane cut off for 6 s", site.cut_planes),
        ("that host behind 2 Mbit/s for 6 s", site.slow_planes),
        ("a host with a replica of each plane lost and back", site.lose_planes),
        (site.rolling, site.roll),
        ("the database's primary lost, standby promoted", site.fail_over),
    ]
    try:
        for name, strike in faults:
            since = time.monotonic()
            await strike()
            await asyncio.sleep(1)
            gap, count = watch.told(since)
            took = time.monotonic() - since
            print(
                f"  {name}: {took:.1f} s, {count} actions accepted ({count / took:.0f}/s), longest wait {gap:.1f} s",
                flush=True,
            )
            if load.done() and not load.cancelled():
                load.result()
                load = asyncio.create_task(storm.load(len(storm.accepted) + actions))
        load.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await load
        await storm.settle(lambda: asyncpg.connect(site.postgres.url()), 180)
        return await check(site, storm)
    finally:
        storm.over = True
        for task in (*tasks, load):
            task.cancel()
        await asyncio.gather(*tasks, load, return_exceptions=True)
        await bus.stop()


async def check(site: Site, storm: Storm) -> int:
    def url(plane: str) -> str:
        return site.postgres.url(f"dealix_{plane}:{site.secrets.database_passwords[plane]}")

    checks: list[tuple[str, Callable[[Any, set[UUID]], Awaitable[int]]]] = [
        ("every accepted action is final, at least 99 % succeeded", invariants.all_final),
        ("each effect at most once, none claimed that was not", invariants.at_most_once),
        ("every effect has a grant", invariants.every_effect_has_a_grant),
        ("every grant has an outcome", invariants.every_grant_has_an_outcome),
        ("no nonce was used twice", invariants.no_nonce_twice),
        ("no approval was used twice", invariants.no_approval_twice),
        ("the ledger verifies from entry to root", invariants.ledger_verifies),
        ("tenants see their own rows only", invariants.tenants_apart(url)),
    ]
    print(f"  {len(storm.accepted)} actions accepted, {storm.resent} requests sent again")
    for reason in site.skipped:
        print(f"  skipped {reason}")
    outcome: Counter[bool] = Counter()
    connection = await asyncpg.connect(site.postgres.url())
    try:
        for name, look in checks:
            try:
                print(f"  ok     {name} ({await look(connection, storm.accepted)} looked at)")
                outcome[True] += 1
            except invariants.Broken as error:
                print(f"  BROKEN {name}: {error}")
                outcome[False] += 1
    finally:
        await connection.close()
    print(f"{outcome[True]} passed, {outcome[False]} failed")
    return outcome[False]


def _is_ready(url: str) -> bool:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(url, timeout=3):
            return True
    except (urllib.error.HTTPError, OSError):
        return False


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.hosts", description=__doc__)
    parser.add_argument("--actions", type=int, default=100_000, help="stop the load after so many")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument(
        "--from",
        dest="version",
        default="",
        metavar="COMMIT",
        help="begin with an earlier version, upgraded under load",
    )
    given = parser.parse_args()
    seed = given.seed if given.seed is not None else random.SystemRandom().randrange(10**6)
    try:
        failed = asyncio.run(run(given.actions, seed, given.version))
    except (NoNamespaces, NoSuchRelease) as error:
        print(f"hosts: {error}", file=sys.stderr)
        sys.exit(2)
    except invariants.Broken as error:
        print(f"hosts: seed {seed}: {error}\n0 passed, 1 failed")
        failed = 1
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
