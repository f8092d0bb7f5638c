"""One action and one trust decision: how long each takes alone, and while the system carries half of what it could.

The floor of a decision is one bare NATS request and reply with one commit in between; that of an action is the floor program's
acceptance, which also commits before it replies.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from itertools import cycle

import orjson

from benchmarks import floor
from benchmarks.dbos_process import dbos
from benchmarks.load import Ask, Prepared, Shape, item, submissions, submit, tenants, traceparent, until_succeeded
from benchmarks.report import FLOOR, OURS, PEER, Figure, Row, Target, percentile
from benchmarks.rig import PEER_DATABASE, Rig, rig
from libs.contracts.catalogue.actions import effects
from libs.contracts.message import Principal
from libs.contracts.subjects import AUTHORIZE, SUBMIT
from libs.contracts.trust import AuthorizeRequest, Evaluation

LOAD = Shape("load", 1, 16)


def measure(quick: bool, progress: Callable[[str], None]) -> Row:
    """The row: p50 and p99 in milliseconds, decisions a second single and batched."""
    return asyncio.run(_measure(100 if quick else 600, progress))


async def _measure(count: int, progress: Callable[[str], None]) -> Row:
    async with rig() as made, dbos(made.servers.postgres.url(PEER_DATABASE)) as peer:
        principals = tenants()
        whole = until_succeeded(made.gateway, principals)
        bare = _bare(made)
        hop = _hop(made)
        decisions = [_question(principals, 1) for _ in range(count)]
        await _one_after_another(hop, decisions[:50])
        await _one_after_another(bare, decisions[:50])
        await _one_after_another(whole, submissions(principals, 50, 1))
        figures: list[Figure] = []

        async def both(what: str, load: str) -> None:
            contestants = (
                (f"trust decision, {load}", FLOOR, bare, [_question(principals, 1) for _ in range(count)]),
                (f"trust decision, {load}", OURS, hop, [_question(principals, 1) for _ in range(count)]),
                (f"action until it succeeded, {load}", OURS, whole, submissions(principals, count, 1)),
            )
            samples: dict[tuple[str, str], list[float]] = {(one[0], one[1]): [] for one in contestants}
            for start in range(0, count, 50):
                for name, who, ask, calls in contestants:
                    samples[name, who] += await _one_after_another(ask, calls[start : start + 50])
            # One workflow after another, as our actions come; what the process itself took for each.
            workflows = [await peer.round(1, 1) for _ in range(max(20, count // 6))]
            samples[f"action until it succeeded, {load}", PEER] = workflows
            for (name, who), took in samples.items():
                for share, label in ((0.5, "p50"), (0.99, "p99")):
                    figures.append(Figure(f"{name}, {label}", who, "ms", (percentile(took, share) * 1000,)))
                progress(
                    f"{name} · {who}: p50 {percentile(took, 0.5) * 1000:.2f} ms, p99 {percentile(took, 0.99) * 1000:.2f} ms ({what})"
                )

        await both("nothing else runs", "alone")
        rate, stop = await _half_load(made, principals, progress)
        await both(f"{rate:.0f} actions/s beside it", "at half load")
        await stop()
        for size in (1, 100):
            shape = Shape(f"decisions, {size} a request", size, 64 if size == 1 else 4)
            rates: dict[str, list[float]] = {OURS: []}
            for _ in range(3):
                calls = [_question(principals, size) for _ in range(count * 4 // size)]
                began = time.monotonic()
                await _in_flight(hop, calls, shape.in_flight)
                rates[OURS].append(sum(call.count for call in calls) / (time.monotonic() - began))
            figures.append(Figure(f"{shape.name}, {shape.in_flight} at a time", OURS, "/s", tuple(rates[OURS])))
            progress(f"{shape.name}: {figures[-1].value:.0f}/s")
    p50 = {f.who: f.value for f in figures if f.what == "trust decision, alone, p50"}
    return Row(
        "latency",
        "One action, one trust decision",
        tuple(figures),
        (
            Target(
                "trust decision alone, p50, of a NATS request with a commit", p50[OURS] / p50[FLOOR], 2, at_most=True
            ),
        ),
        (
            "A trust decision is asked with execution's own credentials; it ends after the decision row, the ledger entries and the "
            "grant are committed. An action is submitted and then awaited by `execution.action.v1` until it has succeeded.",
            "DBOS: a workflow of three steps, one after another, without policy, grant or ledger.",
            f"Half load: {LOAD.in_flight} single submissions at a time, slowed to half of what they reach alone.",
        ),
    )


def _bare(made: Rig) -> Ask:
    async def ask(call: Prepared) -> None:
        await made.anyone.request(floor.COMMIT_ONE, call.body, timeout=10)

    return ask


def _hop(made: Rig) -> Ask:
    async def ask(call: Prepared) -> None:
        reply = await made.execution.request(AUTHORIZE.subject, call.body, timeout=10, headers=call.headers)
        if b'"outcome":"granted"' not in reply.data:
            raise RuntimeError(f"not granted: {reply.data[:300]!r}")

    return ask


def _question(principals: list[Principal], size: int) -> Prepared:
    """A request of `size` evaluations as execution makes them."""
    effect = effects()["slack_notify"]
    evaluations = []
    for _, who in zip(range(size), cycle(principals), strict=False):
        one = item(who.tenant_id)
        evaluations.append(
            Evaluation(
                tenant_id=who.tenant_id, action_id=one.action_id, attempt=1, subject=who, action_type=one.action_type,
                effect="slack_notify", connector=effect.connector, operation=effect.operation, resource=one.resource,
                payload=orjson.dumps(one.payload).decode(), salt="ab" * 32,
            )
        )  # fmt: skip
    return Prepared(AuthorizeRequest(evaluations=tuple(evaluations)).model_dump_json().encode(), traceparent(), size)


async def _one_after_another(ask: Ask, calls: list[Prepared]) -> list[float]:
    took = []
    for call in calls:
        began = time.perf_counter()
        await ask(call)
        took.append(time.perf_counter() - began)
    return took


async def _in_flight(ask: Ask, calls: list[Prepared], count: int) -> None:
    pending = iter(calls)

    async def worker() -> None:
        for call in pending:
            await ask(call)

    await asyncio.gather(*(worker() for _ in range(count)))


async def _half_load(
    made: Rig, principals: list[Principal], progress: Callable[[str], None]
) -> tuple[float, Callable[[], Awaitable[None]]]:
    """Start a steady load of half of what the same submissions reach at full speed. Returns its rate and how to stop it."""
    calls = submissions(principals, 2_000, LOAD.per_request)
    began = time.monotonic()
    await submit(made.gateway, SUBMIT.subject, calls, LOAD.in_flight)
    rate = len(calls) / (time.monotonic() - began) / 2
    progress(f"half load is {rate:.0f} actions/s")

    async def load() -> None:
        while True:
            began = time.monotonic()
            batch = submissions(principals, max(1, int(rate / 20)), 1)
            await submit(made.gateway, SUBMIT.subject, batch, LOAD.in_flight)
            await asyncio.sleep(max(0.0, len(batch) / rate - (time.monotonic() - began)))

    task = asyncio.create_task(load())

    async def stop() -> None:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    return rate, stop
