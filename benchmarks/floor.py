"""The floor: the same messages and as many durable rows, with nothing in between.

Two processes over bare nats-py and asyncpg, batches of up to a hundred. It checks nothing: no policy, no row security, no
validation, no verification, no queue, no retry, no trace. One Merkle root is signed a batch, and no signature is ever verified.

`python -m benchmarks.floor execution|trust`
"""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import signal
import sys
import time
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import nats
import nats.errors
import orjson
import uvloop
from nacl.signing import SigningKey
from nats.aio.client import Client
from nats.aio.msg import Msg

from libs.contracts.merkle import batch_paths, leaf_hash
from libs.contracts.message import new_id

SUBMIT = "floor.submit"
AUTHORIZE = "floor.authorize"
COMMIT_ONE = "floor.commit_one"
STREAM = "FLOOR"
SETTLED = "floor_events.settled"
DURABLE = "floor_trust"
BATCH = 100
WORKERS = 4

ROWS_PER_ACTION = 9
"""actions, decisions, entries, leaves, dispatches, receipts, closures, entries, leaves."""

SCHEMA = """
create table if not exists actions (tenant_id uuid not null, action_id uuid primary key, state text not null, payload text not null,
  principal jsonb not null, at timestamptz not null default now());
create table if not exists dispatches (action_id uuid primary key, nonce text not null, at timestamptz not null default now());
create table if not exists receipts (action_id uuid primary key, receipt jsonb not null);
create table if not exists decisions (tenant_id uuid not null, action_id uuid primary key, reply bytea not null, at timestamptz not null default now());
create table if not exists entries (tenant_id uuid not null, entry_id uuid primary key, body bytea not null, salt bytea not null);
create table if not exists leaves (position bigint generated always as identity primary key, tenant_id uuid not null, hash bytea not null);
create table if not exists closures (grant_id uuid primary key, action_id uuid not null, receipt jsonb not null);
create table if not exists singles (id uuid primary key, body bytea not null);
"""


class Execution:
    """Takes actions in, asks for decisions, writes dispatches and receipts, tells how it ended."""

    def __init__(self, client: Client, pool: Any) -> None:
        self._client = client
        self._pool = pool
        self._queue: asyncio.Queue[tuple[Msg, list[dict[str, Any]]]] = asyncio.Queue()

    async def accept(self, message: Msg) -> None:
        request = orjson.loads(message.data)
        principal = request["principal"]
        tenant, shown = UUID(principal["tenant_id"]), orjson.dumps(principal).decode()
        jobs = [
            {
                "tenant": tenant,
                "id": UUID(item["action_id"]),
                "payload": orjson.dumps(item["payload"]).decode(),
                "by": shown,
            }
            for item in request["items"]
        ]
        self._queue.put_nowait((message, jobs))

    async def work(self) -> None:
        while True:
            waiting = [await self._queue.get()]
            count = len(waiting[0][1])
            while count < BATCH and not self._queue.empty():
                waiting.append(self._queue.get_nowait())
                count += len(waiting[-1][1])
            jobs = [job for _, some in waiting for job in some]
            await self._pool.execute(
                "insert into actions (tenant_id, action_id, state, payload, principal) select t, a, 'accepted', p, b::jsonb "
                "from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[]) as x(t, a, p, b)",
                *_columns(jobs, "tenant", "id", "payload", "by"),
            )
            for message, some in waiting:
                results = [{"action_id": str(job["id"]), "state": "accepted"} for job in some]
                await self._client.publish(message.reply, orjson.dumps({"results": results}))
            await self._carry_out(jobs)

    async def _carry_out(self, jobs: Sequence[dict[str, Any]]) -> None:
        question = [
            {"tenant_id": str(job["tenant"]), "action_id": str(job["id"]), "payload": job["payload"]} for job in jobs
        ]
        reply = await self._client.request(AUTHORIZE, orjson.dumps(question), timeout=60)
        for job, grant in zip(jobs, orjson.loads(reply.data), strict=True):
            claims = orjson.loads(grant["claims"])
            job |= {"grant": claims["grant_id"], "nonce": claims["nonce"]}
        await self._pool.execute(
            "insert into dispatches (action_id, nonce) select * from unnest($1::uuid[], $2::text[])",
            *_columns(jobs, "id", "nonce"),
        )
        now = time.time()
        for job in jobs:
            job["receipt"] = orjson.dumps(
                {
                    "receipt_id": str(new_id()), "tenant_id": str(job["tenant"]), "action_id": str(job["id"]),
                    "grant_id": job["grant"], "vendor_id": f"sandbox-{job['id']}", "at": now,
                    "request_digest": sha256(job["payload"].encode()).hexdigest(),
                }
            ).decode()  # fmt: skip
        await self._pool.execute(
            "insert into receipts (action_id, receipt) select a, r::jsonb from unnest($1::uuid[], $2::text[]) as x(a, r)",
            *_columns(jobs, "id", "receipt"),
        )
        await self._client.jetstream().publish(SETTLED, orjson.dumps([job["receipt"] for job in jobs]))


class Trust:
    """Writes decisions and ledger rows, signs one root a batch, closes grants."""

    def __init__(self, client: Client, pool: Any) -> None:
        self._client = client
        self._pool = pool
        self._key = SigningKey.generate()

    async def authorize(self, message: Msg) -> None:
        question = orjson.loads(message.data)
        claims = [
            orjson.dumps(
                {
                    "grant_id": str(new_id()), "tenant_id": one["tenant_id"], "action_id": one["action_id"],
                    "nonce": secrets.token_hex(16), "payload_digest": sha256(one["payload"].encode()).hexdigest(),
                }
            )
            for one in question
        ]  # fmt: skip
        root, paths = batch_paths([leaf_hash(one) for one in claims])
        signature = base64.urlsafe_b64encode(self._key.sign(root).signature).decode()
        grants = [
            {
                "claims": claim.decode(),
                "index": n,
                "path": [step.hex() for step in path],
                "root": root.hex(),
                "jws": signature,
            }
            for n, (claim, path) in enumerate(zip(claims, paths, strict=True))
        ]
        tenants = [UUID(one["tenant_id"]) for one in question]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "insert into decisions (tenant_id, action_id, reply) select * from unnest($1::uuid[], $2::uuid[], $3::bytea[])",
                tenants, [UUID(one["action_id"]) for one in question], [orjson.dumps(grant) for grant in grants],
            )  # fmt: skip
            await _record(connection, tenants, claims)
        await self._client.publish(message.reply, orjson.dumps(grants))

    async def settle(self) -> None:
        subscription = await self._client.jetstream().pull_subscribe_bind(DURABLE, stream=STREAM)
        while True:
            try:
                messages = await subscription.fetch(50, timeout=5)
            except TimeoutError:
                continue
            for message in messages:
                texts = orjson.loads(message.data)
                receipts = [orjson.loads(text) for text in texts]
                tenants = [UUID(receipt["tenant_id"]) for receipt in receipts]
                async with self._pool.acquire() as connection, connection.transaction():
                    await connection.execute(
                        "insert into closures (grant_id, action_id, receipt) select g, a, r::jsonb from unnest($1::uuid[], $2::uuid[], "
                        "$3::text[]) as x(g, a, r)",
                        [UUID(r["grant_id"]) for r in receipts], [UUID(r["action_id"]) for r in receipts], texts,
                    )  # fmt: skip
                    await _record(connection, tenants, [text.encode() for text in texts])
                await message.ack()

    async def commit_one(self, message: Msg) -> None:
        await self._pool.execute("insert into singles (id, body) values ($1, $2)", new_id(), message.data)
        await self._client.publish(message.reply, b"{}")


async def _record(connection: Any, tenants: Sequence[UUID], bodies: Sequence[bytes]) -> None:
    salts = [secrets.token_bytes(32) for _ in bodies]
    await connection.execute(
        "insert into entries (tenant_id, entry_id, body, salt) select * from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[])",
        tenants, [new_id() for _ in bodies], bodies, salts,
    )  # fmt: skip
    await connection.execute(
        "insert into leaves (tenant_id, hash) select * from unnest($1::uuid[], $2::bytea[])",
        tenants, [leaf_hash(salt + body) for salt, body in zip(salts, bodies, strict=True)],
    )  # fmt: skip


def _columns(jobs: Sequence[dict[str, Any]], *names: str) -> list[list[Any]]:
    return [[job[name] for job in jobs] for name in names]


async def _no_reset(_: Any) -> None:
    """Nothing is set on these connections, so there is nothing to reset: it saves a round trip each time."""


async def main(role: str) -> None:
    client = await nats.connect(
        os.environ["FLOOR_NATS"], nkeys_seed_str=os.environ["FLOOR_SEED"], inbox_prefix=f"_INBOX_floor_{role}".encode()
    )
    pool = await asyncpg.create_pool(os.environ["FLOOR_DATABASE"], min_size=1, max_size=12, reset=_no_reset)
    tasks: set[asyncio.Task[None]] = set()
    if role == "trust":
        await pool.execute(SCHEMA)
        jetstream = client.jetstream()
        await jetstream.add_stream(name=STREAM, subjects=[SETTLED])
        await jetstream.add_consumer(STREAM, durable_name=DURABLE, ack_policy="explicit")
        trust = Trust(client, pool)

        def spawned(handler: Any) -> Any:
            async def start(message: Msg) -> None:
                task = asyncio.create_task(handler(message))
                tasks.add(task)
                task.add_done_callback(tasks.discard)

            return start

        await client.subscribe(AUTHORIZE, cb=spawned(trust.authorize))
        await client.subscribe(COMMIT_ONE, cb=spawned(trust.commit_one))
        tasks.add(asyncio.create_task(trust.settle()))
    else:
        execution = Execution(client, pool)
        await client.subscribe(SUBMIT, cb=execution.accept)
        tasks |= {asyncio.create_task(execution.work()) for _ in range(WORKERS)}
    await client.flush()
    Path(os.environ["FLOOR_READY"]).write_text("ready", encoding="utf-8")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
