"""The floor: the same messages and the same durable rows, with nothing in between.

Two processes over bare nats-py and asyncpg, batches of up to a hundred. It checks nothing: no policy, no row security, no
validation, no verification, no queue, no retry, no trace. Each grant is a compact JWS of its own, as a plain program would sign it;
`floor.submit_batch` asks for our own trick instead, one signed Merkle root a batch, which is cheaper still. No signature is
ever verified.

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
SUBMIT_BATCH = "floor.submit_batch"
AUTHORIZE = "floor.authorize"
AUTHORIZE_BATCH = "floor.authorize_batch"
COMMIT_ONE = "floor.commit_one"
STREAM = "FLOOR"
SETTLED = "floor_events.settled"
DURABLE = "floor_trust"
BATCH = 100
WORKERS = 4

SCHEMA = """
create table if not exists actions (tenant_id uuid not null, action_id uuid not null, action_type text not null, effect text not null,
  state text not null, attempt int not null, resource_type text not null, resource_id text not null, payload text not null, salt text not null,
  principal json not null, reason text not null, run_id text not null, headers json not null, trace_id text not null, timeline jsonb not null,
  accepted_at timestamptz not null default now(), primary key (tenant_id, action_id));
create index if not exists actions_state on actions (tenant_id, state, action_id);
create table if not exists dispatches (tenant_id uuid not null, action_id uuid not null, attempt int not null, grant_id uuid not null,
  nonce text not null, connector text not null, class text not null, mode text not null, reasons json not null, policy_version text not null,
  at timestamptz not null default now(), primary key (tenant_id, action_id, attempt));
create unique index if not exists dispatches_nonce on dispatches (nonce);
create table if not exists sandbox (tenant_id uuid not null, message_id uuid not null, action_id uuid not null, connector text not null,
  at timestamptz not null, request json not null, primary key (tenant_id, message_id));
create table if not exists receipts (tenant_id uuid not null, action_id uuid not null, receipt json not null, primary key (tenant_id, action_id));
create table if not exists decisions (tenant_id uuid not null, action_id uuid not null, attempt int not null, digest text not null,
  decision_id uuid not null, outcome text not null, mode text not null, effect text not null, subject_id text not null, grant_id uuid,
  policy_version text not null, question bytea not null, reply bytea not null, decided_at timestamptz not null default now(),
  primary key (tenant_id, action_id, attempt, digest));
alter table decisions set (toast_tuple_target = 8160);
create unique index if not exists decisions_grant on decisions (grant_id);
create table if not exists closures (tenant_id uuid not null, grant_id uuid not null, action_id uuid not null, attempt int not null,
  outcome text not null, receipt json, closed_at timestamptz not null, primary key (tenant_id, grant_id));
create table if not exists entries (tenant_id uuid not null, entry_id uuid not null, kind text not null, actor text not null, target text not null,
  at timestamptz not null default now(), trace_id text not null, body bytea not null, salt bytea not null, primary key (tenant_id, entry_id));
create table if not exists leaves (log_id uuid not null, seq bigint generated always as identity, entry_id uuid not null, leaf_hash bytea not null,
  primary key (log_id, seq));
create table if not exists singles (id uuid primary key, body bytea not null);
"""
"""The columns of Dealix's own tables, without row security, foreign readers' indexes, queue, tree nodes and updates."""

REASONS = orjson.dumps(
    [
        {
            "code": "class_a_runs",
            "en": "A safe action: it runs at once.",
            "ar": "إجراء آمن: ينفَّذ مباشرة.",
            "policy_id": "class_a_runs",
        }
    ]
).decode()
POLICY = sha256(b"floor").hexdigest()


_HEADER = base64.urlsafe_b64encode(b'{"alg":"Ed25519","kid":"floor"}').rstrip(b"=") + b"."


class Execution:
    """Takes actions in, asks for decisions, writes dispatches and receipts, tells how it ended."""

    def __init__(self, client: Client, pool: Any) -> None:
        self._client = client
        self._pool = pool
        self._queues: dict[str, asyncio.Queue[tuple[Msg, list[dict[str, Any]]]]] = {
            AUTHORIZE: asyncio.Queue(),
            AUTHORIZE_BATCH: asyncio.Queue(),
        }

    async def accept(self, message: Msg) -> None:
        request = orjson.loads(message.data)
        principal = request["principal"]
        tenant, shown = UUID(principal["tenant_id"]), orjson.dumps(principal).decode()
        traceparent = (message.headers or {}).get("traceparent", "")
        jobs = [
            {
                "tenant": tenant,
                "id": UUID(item["action_id"]),
                "type": item["action_type"],
                "resource_type": item["resource"]["type"],
                "resource": item["resource"]["id"],
                "payload": orjson.dumps(item["payload"]).decode(),
                "salt": secrets.token_hex(32),
                "by": shown,
                "subject": principal,
                "headers": orjson.dumps({"traceparent": traceparent}).decode(),
                "trace": traceparent[3:35],
                "timeline": orjson.dumps(
                    [{"at": str(time.time()), "state": "accepted", "trace_id": traceparent[3:35]}]
                ).decode(),
            }
            for item in request["items"]
        ]
        self._queues[AUTHORIZE if message.subject == SUBMIT else AUTHORIZE_BATCH].put_nowait((message, jobs))

    async def work(self, authorize: str) -> None:
        queue = self._queues[authorize]
        while True:
            waiting = [await queue.get()]
            count = len(waiting[0][1])
            while count < BATCH and not queue.empty():
                waiting.append(queue.get_nowait())
                count += len(waiting[-1][1])
            jobs = [job for _, some in waiting for job in some]
            await self._pool.execute(
                "insert into actions (tenant_id, action_id, action_type, effect, state, attempt, resource_type, resource_id, payload, salt, "
                "principal, reason, run_id, headers, trace_id, timeline) select t, a, y, y, 'accepted', 1, rt, r, p, s, b::json, '', '', h::json, c, "
                "l::jsonb from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], "
                "$10::text[], $11::text[]) as x(t, a, y, rt, r, p, s, b, h, c, l)",
                *_columns(
                    jobs,
                    "tenant",
                    "id",
                    "type",
                    "resource_type",
                    "resource",
                    "payload",
                    "salt",
                    "by",
                    "headers",
                    "trace",
                    "timeline",
                ),
            )
            for message, some in waiting:
                results = [{"action_id": str(job["id"]), "state": "accepted"} for job in some]
                await self._client.publish(message.reply, orjson.dumps({"results": results}))
            await self._carry_out(jobs, authorize)

    async def _carry_out(self, jobs: Sequence[dict[str, Any]], authorize: str) -> None:
        question = [
            {
                "tenant_id": str(job["tenant"]), "action_id": str(job["id"]), "attempt": 1, "subject": job["subject"], "action_type": job["type"],
                "effect": job["type"], "connector": "slack", "operation": "post", "resource": {"type": "tenant", "id": job["resource"]},
                "payload": job["payload"], "salt": job["salt"], "trace_id": job["trace"],
            }
            for job in jobs
        ]  # fmt: skip
        reply = await self._client.request(authorize, orjson.dumps(question), timeout=60)
        for job, decision in zip(jobs, orjson.loads(reply.data), strict=True):
            claims = orjson.loads(decision["grant"]["claims"])
            job |= {"grant": UUID(claims["grant_id"]), "nonce": claims["nonce"]}
        await self._pool.execute(
            "insert into dispatches (tenant_id, action_id, attempt, grant_id, nonce, connector, class, mode, reasons, policy_version) "
            "select t, a, 1, g, n, 'slack', 'A', 'approved_execute', $5::json, $6 from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) "
            "as x(t, a, g, n)",
            *_columns(jobs, "tenant", "id", "grant", "nonce"), REASONS, POLICY,
        )  # fmt: skip
        now = time.time()
        for job in jobs:
            job["receipt"] = orjson.dumps(
                {
                    "receipt_id": str(new_id()), "tenant_id": str(job["tenant"]), "action_id": str(job["id"]), "attempt": 1,
                    "grant_id": str(job["grant"]), "connector": "slack", "operation": "post", "mode": "sandbox",
                    "vendor_id": f"sandbox-{job['id']}", "request_digest": sha256(job["payload"].encode()).hexdigest(),
                    "response_digest": POLICY, "started_at": now, "finished_at": now, "retries": 0, "cost_sar": "0.00",
                }
            ).decode()  # fmt: skip
            job["message"] = new_id()
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "insert into sandbox (tenant_id, message_id, action_id, connector, at, request) select t, m, a, 'slack', now(), r::json "
                "from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) as x(t, m, a, r)",
                *_columns(jobs, "tenant", "message", "id", "payload"),
            )
            await connection.execute(
                "insert into receipts (tenant_id, action_id, receipt) select t, a, r::json from unnest($1::uuid[], $2::uuid[], $3::text[]) "
                "as x(t, a, r)",
                *_columns(jobs, "tenant", "id", "receipt"),
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
                    "attempt": 1, "audience": "floor", "connector": one["connector"], "connector_mode": "sandbox", "operation": one["operation"],
                    "nonce": secrets.token_hex(16), "payload_digest": sha256((one["salt"] + one["payload"]).encode()).hexdigest(),
                    "policy_version": POLICY, "issued_at": int(time.time()), "expires_at": int(time.time()) + 120,
                }
            )
            for one in question
        ]  # fmt: skip
        grants = self._signed_once(claims) if message.subject == AUTHORIZE_BATCH else self._signed_each(claims)
        reasons = orjson.loads(REASONS)
        decisions = [
            {
                "decision_id": str(new_id()), "tenant_id": one["tenant_id"], "action_id": one["action_id"], "attempt": 1, "outcome": "granted",
                "allowed": True, "mode": "approved_execute", "action_class": "A", "reasons": reasons, "policy_version": POLICY, "grant": grant,
            }
            for one, grant in zip(question, grants, strict=True)
        ]  # fmt: skip
        tenants, actions = [UUID(one["tenant_id"]) for one in question], [UUID(one["action_id"]) for one in question]
        bodies = [_entry("decision", one, claim) for one, claim in zip(question, claims, strict=True)]
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(
                "insert into decisions (tenant_id, action_id, attempt, digest, decision_id, outcome, mode, effect, subject_id, grant_id, "
                "policy_version, question, reply) select t, a, 1, d, i, 'granted', 'approved_execute', 'slack_notify', s, g, $8, q, r from "
                "unnest($1::uuid[], $2::uuid[], $3::text[], $4::uuid[], $5::text[], $6::uuid[], $7::bytea[], $9::bytea[]) "
                "as x(t, a, d, i, s, g, r, q)",
                tenants, actions, [sha256(claim).hexdigest() for claim in claims], [UUID(one["decision_id"]) for one in decisions],
                [one["subject"]["id"] for one in question], [UUID(orjson.loads(claim)["grant_id"]) for claim in claims],
                [orjson.dumps(one) for one in decisions], POLICY, [sha256(claim).digest() for claim in claims],
            )  # fmt: skip
            await _record(connection, "decision", tenants, [one["trace_id"] for one in question], actions, bodies)
        await self._client.publish(message.reply, orjson.dumps(decisions))

    def _signed_each(self, claims: Sequence[bytes]) -> list[dict[str, Any]]:
        """A compact JWS each (RFC 7515)."""
        inputs = [_HEADER + base64.urlsafe_b64encode(claim).rstrip(b"=") for claim in claims]
        signed = [base64.urlsafe_b64encode(self._key.sign(one).signature).rstrip(b"=") for one in inputs]
        return [
            {"claims": claim.decode(), "jws": (one + b"." + signature).decode()}
            for claim, one, signature in zip(claims, inputs, signed, strict=True)
        ]

    def _signed_once(self, claims: Sequence[bytes]) -> list[dict[str, Any]]:
        """Each claim's path to a root, and the root's signature."""
        root, paths = batch_paths([leaf_hash(one) for one in claims])
        signature = base64.urlsafe_b64encode(self._key.sign(root).signature).decode()
        return [
            {
                "claims": claim.decode(),
                "index": n,
                "path": [step.hex() for step in path],
                "root": root.hex(),
                "jws": signature,
            }
            for n, (claim, path) in enumerate(zip(claims, paths, strict=True))
        ]

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
                tenants, actions = [UUID(r["tenant_id"]) for r in receipts], [UUID(r["action_id"]) for r in receipts]
                async with self._pool.acquire() as connection, connection.transaction():
                    await connection.execute(
                        "insert into closures (tenant_id, grant_id, action_id, attempt, outcome, receipt, closed_at) select t, g, a, 1, 'succeeded', "
                        "r::json, now() from unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[]) as x(t, g, a, r)",
                        tenants, [UUID(r["grant_id"]) for r in receipts], actions, texts,
                    )  # fmt: skip
                    bodies = [_entry("outcome", r, text.encode()) for r, text in zip(receipts, texts, strict=True)]
                    await _record(connection, "outcome", tenants, [""] * len(texts), actions, bodies)
                await message.ack()

    async def commit_one(self, message: Msg) -> None:
        await self._pool.execute("insert into singles (id, body) values ($1, $2)", new_id(), message.data)
        await self._client.publish(message.reply, b"{}")


def _entry(kind: str, about: dict[str, Any], data: bytes) -> bytes:
    return orjson.dumps(
        {
            "actor": "floor", "at": time.time(), "data": data.decode(), "entry_id": str(new_id()), "kind": kind,
            "target": f"action:{about['action_id']}", "tenant_id": about["tenant_id"], "trace_id": about.get("trace_id", ""),
        }
    )  # fmt: skip


async def _record(
    connection: Any,
    kind: str,
    tenants: Sequence[UUID],
    traces: Sequence[str],
    actions: Sequence[UUID],
    bodies: Sequence[bytes],
) -> None:
    salts, ids = [secrets.token_bytes(32) for _ in bodies], [new_id() for _ in bodies]
    await connection.execute(
        "insert into entries (tenant_id, entry_id, kind, actor, target, trace_id, body, salt) select t, i, $7, 'floor', 'action:' || a, c, b, s "
        "from unnest($1::uuid[], $2::uuid[], $3::bytea[], $4::bytea[], $5::text[], $6::uuid[]) as x(t, i, b, s, c, a)",
        tenants, ids, bodies, salts, traces, actions, kind,
    )  # fmt: skip
    await connection.execute(
        "insert into leaves (log_id, entry_id, leaf_hash) select * from unnest($1::uuid[], $2::uuid[], $3::bytea[])",
        tenants, ids, [leaf_hash(salt + body) for salt, body in zip(salts, bodies, strict=True)],
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
        await client.subscribe(AUTHORIZE_BATCH, cb=spawned(trust.authorize))
        await client.subscribe(COMMIT_ONE, cb=spawned(trust.commit_one))
        tasks.add(asyncio.create_task(trust.settle()))
    else:
        execution = Execution(client, pool)
        for subject, authorize in ((SUBMIT, AUTHORIZE), (SUBMIT_BATCH, AUTHORIZE_BATCH)):
            await client.subscribe(subject, cb=execution.accept)
            tasks |= {asyncio.create_task(execution.work(authorize)) for _ in range(WORKERS)}
    await client.flush()
    Path(os.environ["FLOOR_READY"]).write_text("ready", encoding="utf-8")
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1]))
