"""The load: actions of fifty tenants interleaved, made before the clock starts, submitted in two shapes."""

from __future__ import annotations

import asyncio
import random
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson
from nats.aio.client import Client

from libs.contracts.execution import ActionGet, ActionItem, SubmitRequest
from libs.contracts.message import Principal, PrincipalKind, new_id
from libs.contracts.subjects import ACTION, SUBMIT
from libs.contracts.trust import ResourceRef

TENANTS = 50
SAMPLED = 0.01
TEXT = "صفقة جديدة بانتظار المراجعة: شركة الأفق للمقاولات، القيمة 48,000 ريال. راجع البطاقة قبل نهاية اليوم."
"""What a team is told: an ordinary Arabic sentence, rendered."""


@dataclass(frozen=True)
class Shape:
    """How actions arrive: `per_request` in one call, `in_flight` calls at a time."""

    name: str
    per_request: int
    in_flight: int


SATURATED = Shape("saturated", 20, 100)
SIXTY_FOUR = Shape("64 in flight", 1, 64)


@dataclass(frozen=True)
class Prepared:
    """One call, ready to send."""

    body: bytes
    headers: dict[str, str]
    count: int


def tenants(count: int = TENANTS) -> list[Principal]:
    return [
        Principal(id=f"user:{number}", kind=PrincipalKind.USER, tenant_id=new_id(), roles=("member",))
        for number in range(count)
    ]


def submissions(principals: Sequence[Principal], actions: int, per_request: int) -> list[Prepared]:
    """Calls that submit `actions` in all, tenant after tenant, each in a trace of its own of which one in a hundred is kept."""
    out = []
    for number in range(actions // per_request):
        principal = principals[number % len(principals)]
        items = tuple(item(principal.tenant_id) for _ in range(per_request))
        body = SubmitRequest(principal=principal, items=items).model_dump_json().encode()
        out.append(Prepared(body, traceparent(), per_request))
    return out


def item(tenant: UUID) -> ActionItem:
    return ActionItem(
        action_id=new_id(),
        action_type="slack_notify",
        resource=ResourceRef(type="tenant", id=str(tenant)),
        payload={"text": TEXT},
    )


def traceparent() -> dict[str, str]:
    flag = "01" if random.random() < SAMPLED else "00"
    return {"traceparent": f"00-{secrets.token_hex(16)}-{secrets.token_hex(8)}-{flag}"}


async def submit(client: Client, subject: str, calls: Sequence[Prepared], in_flight: int) -> list[float]:
    """Send every call, `in_flight` at a time, and read every reply. Returns each call's seconds until it was accepted.

    Raises RuntimeError for a reply that accepts less than everything.
    """
    loop = asyncio.get_running_loop()
    pending = iter(calls)
    seconds: list[float] = []

    async def one_after_another() -> None:
        for call in pending:
            began = loop.time()
            reply = await client.request(subject, call.body, timeout=60, headers=call.headers)
            seconds.append(loop.time() - began)
            results = orjson.loads(reply.data).get("results", ())
            if len(results) != call.count or any(result.get("error") for result in results):
                raise RuntimeError(f"not accepted: {reply.data[:300]!r}")

    await asyncio.gather(*(one_after_another() for _ in range(in_flight)))
    return seconds


Ask = Callable[[Prepared], Awaitable[None]]
PATIENCE = 3
"""Waits of ten seconds for one action."""


def until_succeeded(client: Client, principals: Sequence[Principal]) -> Ask:
    """Submits one action and waits until it has succeeded.

    What it gives raises RuntimeError when the action ends otherwise.
    """
    by_tenant = {str(one.tenant_id): one for one in principals}

    async def ask(call: Prepared) -> None:
        reply = await client.request(SUBMIT.subject, call.body, timeout=60, headers=call.headers)
        result = orjson.loads(reply.data)["results"][0]
        who = by_tenant[orjson.loads(call.body)["principal"]["tenant_id"]]
        get = ActionGet(principal=who, action_id=result["action_id"], wait_seconds=10).model_dump_json().encode()
        for _ in range(PATIENCE):
            seen = await client.request(ACTION.subject, get, timeout=60, headers=call.headers)
            if orjson.loads(seen.data).get("state") == "succeeded":
                return
        raise RuntimeError(f"an action did not succeed: {seen.data[:300]!r}")

    return ask
