"""How long it takes until a long list is imported and ranked: read, normalised, matched, written, assessed by trust, ranked."""

from __future__ import annotations

import asyncio
import contextlib
import os
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client

from benchmarks.leads import leads_csv
from benchmarks.processes import cpu_seconds, show_logs, start_module
from benchmarks.report import FLOOR, OURS, PEER, Figure, Row, Target
from dev.embedded import embedded_servers
from dev.environment import Addresses, plane_environment
from dev.prepare import authorization
from dev.secrets import MIGRATOR, load_or_create
from libs.contracts.data import EnsureTenant, ImportGet, ImportRequest, ImportStatus, TenantProfile
from libs.contracts.decision import OpportunitiesReply, OpportunitiesRequest
from libs.contracts.message import Message, Page, Plane, Principal, PrincipalKind, new_id
from libs.contracts.operating import PingRequest
from libs.contracts.subjects import ENSURE_TENANT, IMPORT, IMPORT_FILES, IMPORT_STATUS, OPPORTUNITIES, PINGS, Call
from libs.runtime.migrate import ensure_streams, migrate
from services.data.importing.domain.batch import uncollected
from services.data.importing.domain.clusters import Filed
from services.data.importing.domain.detect import read_file
from services.data.importing.domain.plan import plan_import
from services.data.importing.domain.rows import read_rows
from services.data.importing.reading import chunks
from services.data.screening.domain.texts import of_rows

WHAT = "100,000 leads imported and ranked"
ROWS, QUICK_ROWS = 100_000, 10_000
WANTED_SECONDS = 30.0
LONGEST = 900.0
TODAY = date(2026, 11, 21)
Progress = Callable[[str], None]


def measure(quick: bool, progress: Progress) -> Row:
    rows = QUICK_ROWS if quick else ROWS
    content = leads_csv(rows)
    progress(f"{rows:,} rows, {len(content) / 1e6:.1f} MB")
    floors = [_floor(content) for _ in range(1 if quick else 3)]
    steps = _steps(content)
    progress(f"floor: {min(floors):.1f} s")
    found = asyncio.run(_ours(content, progress))
    unit = "s"
    figures = [
        Figure(WHAT, OURS, unit, (found["total"],), f"of it import {found['import']:.1f} s, rank {found['rank']:.1f} s"),
        Figure(WHAT, FLOOR, unit, tuple(floors), "the file read and normalised in one process, nothing matched or stored"),
        Figure("rows imported a second", OURS, "rows/s", (rows / found["import"],)),
        Figure("answers of the data plane meanwhile, p99", OURS, "ms", (found["p99"],), f"{found['pings']:.0f} asked, longest {found['longest']:.0f} ms"),
        Figure("memory of the import's processes, most", OURS, "MB", (found["memory"],)),
    ]  # fmt: skip
    notes = [
        f"{rows:,} rows of which 8 % come twice; the tenant was empty before. CPU seconds used meanwhile: {found['cpu']}.",
        f"Counts: {found['counts']}.",
    ]
    if find_spec("recordlinkage") is not None:
        figures.append(_peer(content))
    else:
        notes.append(
            "The peer (recordlinkage) is not installed here; `pip install recordlinkage` adds it to the table."
        )
    target = Target(f"end to end, against {WANTED_SECONDS:.0f} s", found["total"] / WANTED_SECONDS, 1.0, at_most=True)
    breakdowns = (found.pop("phases"), steps)
    return Row("importing", WHAT, tuple(figures), (target,) if rows == ROWS else (), tuple(notes), found, breakdowns)


def _floor(content: bytes) -> float:
    began = time.perf_counter()
    read_rows(read_file(content), source="own_crm", today=TODAY)
    return time.perf_counter() - began


def _steps(content: bytes) -> tuple[tuple[str, ...], ...]:
    """Processor seconds of each step of an import's own process, one after the other and into an empty tenant."""
    took: dict[str, float] = defaultdict(float)

    @contextlib.contextmanager
    def step(name: str) -> Iterator[None]:
        began = time.process_time()
        yield
        took[name] += time.process_time() - began

    with uncollected():
        with step("the file read"):
            parsed = read_file(content)
        for part in chunks(parsed):
            with step("rows normalised"):
                rows = read_rows(part, source="own_crm", today=TODAY)
            with step("names taken apart, keys made"):
                filed = {row.row_number: Filed.of(row) for row in rows.leads}
            with step("matched and planned"):
                plan_import(rows, (), (), filed)
            with step("texts screened"):
                of_rows(part.mapping, [(row.row_number, row.cells) for row in part.rows])
    return (("step", "CPU s"), *((name, f"{seconds:.1f}") for name, seconds in took.items()))


def _peer(content: bytes) -> Figure:
    """recordlinkage: blocks on number and on address, compares names and companies; nothing is normalised or stored."""
    import io

    import pandas
    import recordlinkage

    began = time.perf_counter()
    frame = pandas.read_csv(io.BytesIO(content), dtype=str).fillna("")
    index = recordlinkage.Index()
    index.block("mobile")
    index.block("email")
    pairs = index.index(frame)
    compare = recordlinkage.Compare()
    compare.string("company", "company", method="jarowinkler", threshold=0.88)
    compare.string("name", "name", method="jarowinkler", threshold=0.88)
    compare.compute(pairs, frame)
    return Figure(
        WHAT,
        PEER,
        "s",
        (time.perf_counter() - began,),
        "recordlinkage: exact blocks on number and address, one script; no storing",
    )


async def _ours(content: bytes, progress: Progress) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="dealix-bench-", ignore_cleanup_errors=True) as directory:
        data_dir = Path(directory)
        secrets = load_or_create(data_dir / "secrets.json")
        async with embedded_servers(data_dir, authorization=authorization(secrets.nats_public_keys())) as servers:
            await migrate(servers.admin_url, secrets.database_passwords)
            await ensure_streams(servers.nats_url, secrets.nats_seeds[MIGRATOR])
            addresses = Addresses(servers.nats_url, servers.admin_url, "127.0.0.1", 0, data_dir)
            children = {}
            client = await nats.connect(
                servers.nats_url, nkeys_seed_str=secrets.nats_seeds["gateway"], inbox_prefix=b"_INBOX_gateway"
            )
            try:
                for name in ("trust", "data", "decision"):
                    ready = data_dir / f"{name}.ready"
                    environ = plane_environment(name, {**os.environ, "DEALIX_TRACE_RATIO": "0.01"}, secrets, addresses)
                    environ["DEALIX_READY_FILE"] = str(ready)
                    children[name] = await start_module(
                        f"services.{name}", environ=environ, data_dir=data_dir, ready=ready
                    )
                pids = {name: child.pid for name, child in children.items()}
                if (child := servers.postgres.child) is not None:
                    pids["postgres"] = child.pid
                meter = _Meter(pids)
                found = await _run(client, content, meter, progress)
                found["cpu"] = meter.total()
                return found
            except BaseException:  # interrupted as well: what the planes said last is what helps
                show_logs(data_dir)
                raise
            finally:
                for child in children.values():
                    await child.stop()
                await client.close()


class _Meter:
    """How long each phase took, and how much processor time each process used in it."""

    def __init__(self, pids: Mapping[str, int]) -> None:
        self.pids = pids
        self._began, self._before = time.perf_counter(), self._now()
        self._first = self._before
        self._phases: list[tuple[str, ...]] = []

    def _now(self) -> dict[str, float]:
        return {name: cpu_seconds(pid, family=True) for name, pid in self.pids.items()}

    def begin(self) -> None:
        """The clock starts here."""
        self._began, self._before = time.perf_counter(), self._now()
        self._first = self._before

    def ended(self, phase: str) -> None:
        at, now = time.perf_counter(), self._now()
        used = [f"{now[name] - self._before[name]:.1f}" for name in self.pids]
        self._phases.append((phase, f"{at - self._began:.1f}", *used))
        self._began, self._before = at, now

    def total(self) -> dict[str, float]:
        """Processor seconds of each process since the clock started."""
        now = self._now()
        return {name: round(now[name] - self._first[name], 1) for name in self.pids}

    def table(self) -> tuple[tuple[str, ...], ...]:
        return (("phase", "seconds", *(f"CPU {name}" for name in self.pids)), *self._phases)


PHASES = {
    "queued": "waiting for the worker",
    "reading": "its process started, the file read",
    "matching": "read on, matched and written, chunk by chunk",
    "assessing": "trust asked who may be contacted",
}
"""What an import does in a state."""


async def _call(client: Client, call: Call[Any, Any], request: Message, timeout: float | None = None) -> Any:
    reply = await client.request(call.subject, request.model_dump_json().encode(), timeout=timeout or call.timeout)
    if reply.headers and "Dealix-Fault" in reply.headers:
        raise RuntimeError(reply.data.decode())
    return call.reply.model_validate_json(reply.data)


async def _run(client: Client, content: bytes, meter: _Meter, progress: Progress) -> dict[str, Any]:
    tenant = new_id()
    who = Principal(id="user:bench", kind=PrincipalKind.USER, tenant_id=tenant, roles=("owner",), scopes=("*",))
    profile = TenantProfile(
        tenant_id=tenant, slug="bench", name_en="Bench", name_ar="قياس", sender_name="Bench", sender_email="bench@bench.example",
        opt_out_url="https://bench.example/stop",
    )  # fmt: skip
    await _call(client, ENSURE_TENANT, EnsureTenant(profile=profile))
    bucket = await client.jetstream(timeout=30).object_store(IMPORT_FILES.name)
    import_id = new_id()
    name = f"{tenant}/{import_id}"
    await bucket.put(name, content)
    watch = _Watch(client, meter.pids["data"])
    watching = asyncio.create_task(watch.run())
    began = time.perf_counter()
    meter.begin()
    await _call(
        client, IMPORT,
        ImportRequest(principal=who, import_id=import_id, object_name=name, file_name="leads.csv", size=len(content), source="own_crm"),
    )  # fmt: skip
    state = ""
    while True:
        status: ImportStatus = await _call(client, IMPORT_STATUS, ImportGet(principal=who, import_id=import_id))
        if status.state.value != state:
            if state:
                meter.ended(PHASES.get(state, state))
            state = status.state.value
            progress(f"{time.perf_counter() - began:.1f} s: {state}")
        if status.finished_at is not None:
            break
        await asyncio.sleep(0.1)
    imported = time.perf_counter()
    if state != "completed":
        raise RuntimeError(f"the import ended as {state}: {status.error_en}")
    # Ranking follows an import by itself: it has ended when there are opportunities to look at.
    while True:
        shown: OpportunitiesReply = await _call(
            client, OPPORTUNITIES, OpportunitiesRequest(principal=who, page=Page(limit=1))
        )
        if shown.total:
            break
        await asyncio.sleep(0.1)
    ended = time.perf_counter()
    meter.ended("ranked")
    progress(f"{ended - began:.1f} s: ranked")
    watching.cancel()
    return {
        "import": imported - began, "rank": ended - imported, "total": ended - began, "counts": status.counts.model_dump(), "phases": meter.table(),
        **watch.found(),
    }  # fmt: skip


class _Watch:
    """Asks the data plane for a sign of life ten times a second, and looks how much memory it and its children hold."""

    def __init__(self, client: Client, pid: int) -> None:
        self._client, self._pid = client, pid
        self._waits: list[float] = []
        self._memory = 0.0

    async def run(self) -> None:
        call = PINGS[Plane.DATA]
        while True:
            began = time.perf_counter()
            with contextlib.suppress(TimeoutError, nats.errors.Error):  # counted by how long it took
                await _call(self._client, call, PingRequest(), timeout=10)
            self._waits.append((time.perf_counter() - began) * 1000)
            self._memory = max([self._memory, *(_family(pid) for pid in _children(self._pid))])
            await asyncio.sleep(0.1)

    def found(self) -> dict[str, float]:
        ordered = sorted(self._waits) or [0.0]
        return {
            "p99": ordered[int(len(ordered) * 0.99) - 1], "longest": ordered[-1], "pings": float(len(ordered)), "memory": self._memory,
        }  # fmt: skip


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _family(pid: int) -> float:
    """Megabytes that a process and those that it started hold. What two share counts twice."""
    try:
        return _resident(pid) + sum(map(_family, _children(pid)))
    except OSError:
        return 0.0


def _resident(pid: int) -> float:
    """Megabytes of memory that a process holds."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0.0
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
