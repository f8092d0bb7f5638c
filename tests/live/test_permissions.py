"""What the real servers refuse: every plane is tried against every subject, schema and tenant that is not its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import Any

import asyncpg
import nats
import pytest
import pytest_asyncio
from nats.aio.client import Client
from nats.aio.msg import Msg

from dev.embedded import Servers
from dev.secrets import MIGRATOR, Secrets
from libs.contracts.message import Plane, new_id
from libs.contracts.subjects import CALLS, EVENTS, SIGNALS
from libs.runtime.nats_config import DLQ_STREAM, streams
from tests.live.harness import prepared_servers

pytestmark = [pytest.mark.live, pytest.mark.asyncio(loop_scope="module")]

# Tables that name tenants and are read for all of them: ids and what a worker needs to find its work, nothing about people.
TENANTLESS = {
    "data.embedding_queue",
    "data.import_queue",
    "data.quality_turns",
    "data.search_queue",
    "data.slugs",  # one slug is taken once, whoever has it
    "decision.forecast_turns",
    "decision.rank_queue",
    "decision.watch_queue",
    "execution.canary_switches",  # which revision of its canaries a tenant is on: a counter that running processes look at
    "execution.controls",  # read in every dispatch, the platform's rows with them
    "execution.dead_letter_clocks",
    "execution.flow_due",
    "execution.flow_wakes",
    "execution.push_turns",
    "execution.work",
    "gateway.brief_turns",
    "gateway.doors",  # which door a key or session opens: hashes and ids, looked up before anyone is known
    "operating.control_deliveries",
    "trust.approval_deadlines",
    "trust.approval_ticks",
    "trust.duty_clocks",
    "trust.policy_replay_queue",
    "trust.policy_switches",  # which revision of its policies a tenant is on: a counter that running processes look at
}


@dataclass
class Ground:
    """Prepared servers: users, roles, tables and streams, and no plane."""

    servers: Servers
    secrets: Secrets

    @asynccontextmanager
    async def nats(self, user: str) -> AsyncIterator[tuple[Client, list[str]]]:
        """A bare connection as `user` (a plane or the migrator), and what the server refused on it."""
        refused: list[str] = []

        async def note(error: Exception) -> None:
            refused.append(str(error).lower())

        client = await nats.connect(
            self.servers.nats_url,
            nkeys_seed_str=self.secrets.nats_seeds[user],
            inbox_prefix=f"_INBOX_{user}".encode(),
            error_cb=note,
        )
        try:
            yield client, refused
        finally:
            await client.close()

    @asynccontextmanager
    async def sql(self, plane: Plane) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(self.secrets.database_url(plane.value, self.servers.admin_url))
        try:
            yield connection
        finally:
            await connection.close()

    @asynccontextmanager
    async def admin(self) -> AsyncIterator[Any]:
        connection = await asyncpg.connect(self.servers.admin_url)
        try:
            yield connection
        finally:
            await connection.close()


@dataclass
class Ear:
    """Hears everything, with the migrator's rights, and knows who said it by the body."""

    heard: set[tuple[str, str]] = field(default_factory=set)

    async def hear(self, message: Msg) -> None:
        self.heard.add((message.data.decode(), message.subject))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ground(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Ground]:
    directory: Path = tmp_path_factory.mktemp("permissions")
    for parent in (directory, *directory.parents):
        if parent.stat().st_uid == 0 and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)  # as root the database server runs under another account
    async with prepared_servers(directory) as (servers, secrets):
        yield Ground(servers, secrets)


async def said(ground: Ground, subjects: set[str]) -> tuple[set[tuple[str, str]], dict[str, list[str]]]:
    """Let every plane publish on every one of these subjects; returns what got through, and what was refused by plane."""
    ear, refused = Ear(), {}
    async with ground.nats(MIGRATOR) as (listener, _):
        for subject in subjects:
            await listener.subscribe(subject, cb=ear.hear)
        await listener.flush()
        for plane in Plane:
            async with ground.nats(plane.value) as (client, errors):
                for subject in subjects:
                    await client.publish(subject, plane.value.encode())
                await client.flush()
                await settled(client)
                refused[plane.value] = errors
        await listener.flush()
        await settled(listener)
    return ear.heard, refused


async def settled(client: Client) -> None:
    """Refusals and messages come before the answer to a ping; the callbacks then need a turn of the loop.

    Twice, because the client's first ping may overtake what is still in its buffer.
    """
    await client.flush()
    await client.flush()
    for _ in range(20):
        await asyncio.sleep(0)


async def test_the_server_lets_through_exactly_the_calls_whose_subject_names_the_caller(ground: Ground) -> None:
    heard, refused = await said(ground, {call.subject for call in CALLS})
    assert heard == {(caller.value, call.subject) for call in CALLS for caller in call.callers}
    absent = {(p.value, c.subject) for p, c in product(Plane, CALLS) if p not in c.callers}
    told = {(p, s) for p, s in absent if any(f'publish to "{s}"' in error for error in refused[p])}
    assert told == absent, "every absent pair is refused out loud"


async def test_the_server_lets_a_plane_publish_its_own_events_and_telemetry_only(ground: Ground) -> None:
    events = {event.subject: event.plane.value for event in EVENTS}
    signals = {signal.subject(plane): plane.value for signal, plane in product(SIGNALS, Plane)}
    dead = {f"dlq.{plane.value}.some.event.v1": plane.value for plane in Plane}
    owners = events | signals | dead
    heard, _ = await said(ground, set(owners))
    assert heard == {(owner, subject) for subject, owner in owners.items()}


async def test_the_server_lets_only_the_owning_plane_answer_a_call(ground: Ground) -> None:
    """Every plane asks to serve every subject, in its own queue group; then every subject is called once."""
    heard: set[tuple[str, str]] = set()
    async with AsyncExitStack() as stack:
        clients = []
        for plane in Plane:
            client, _ = await stack.enter_async_context(ground.nats(plane.value))
            clients.append(client)

            async def hear(message: Msg, by: str = plane.value) -> None:
                heard.add((by, message.subject))

            for call in CALLS:
                await client.subscribe(call.subject, queue=plane.value, cb=hear)
            await settled(client)
        caller, _ = await stack.enter_async_context(ground.nats(MIGRATOR))
        for call in CALLS:
            await caller.publish(call.subject, b"x")
        for client in (caller, *clients):
            await settled(client)
    assert heard == {(call.plane.value, call.subject) for call in CALLS}


async def test_no_plane_listens_in_on_calls_outside_its_queue_group_or_on_replies_of_others(ground: Ground) -> None:
    for plane in Plane:
        async with ground.nats(plane.value) as (client, refused):
            wanted = [c.subject for c in CALLS] + [e.subject for e in EVENTS] + [">", "trust.>", "$JS.>", "$SYS.>"]
            wanted += [f"_INBOX_{other.value}.>" for other in Plane if other is not plane] + ["_INBOX.>", "dlq.>"]
            for subject in wanted:
                await client.subscribe(subject)
            await settled(client)
            for subject in wanted:
                assert any(f'subscription to "{subject.lower()}"' in e for e in refused), (plane.value, subject)


async def test_no_plane_forges_a_reply_to_another(ground: Ground) -> None:
    """Execution waits for trust's answer, and every other plane tries to give it unasked."""
    async with ground.nats(Plane.EXECUTION.value) as (client, _):
        inbox = await client.subscribe("_INBOX_execution.waiting.1")
        await client.flush()
        for plane in set(Plane) - {Plane.EXECUTION}:
            async with ground.nats(plane.value) as (forger, refused):
                await forger.publish("_INBOX_execution.waiting.1", b"granted")
                await settled(forger)
                assert refused, plane.value
        await settled(client)
        assert inbox.pending_msgs == 0


async def test_no_plane_administers_a_stream(ground: Ground) -> None:
    verbs = (
        "STREAM.DELETE",
        "STREAM.PURGE",
        "STREAM.UPDATE",
        "STREAM.CREATE",
        "STREAM.MSG.GET",
        "STREAM.MSG.DELETE",
        "CONSUMER.CREATE",
    )
    for plane in Plane:
        async with ground.nats(plane.value) as (client, refused):
            wanted = [f"$JS.API.{verb}.{stream}" for verb, stream in product(verbs, [*streams(), DLQ_STREAM])]
            for subject in wanted:
                await client.publish(subject, b"{}")
            await settled(client)
            for subject in wanted:
                assert any(f'publish to "{subject.lower()}"' in e for e in refused), (plane.value, subject)
    async with ground.nats(MIGRATOR) as (admin, _):
        existing = {info.config.name for info in await admin.jetstream().streams_info()}
    assert {*streams(), DLQ_STREAM} <= existing


async def test_nobody_enters_without_a_key_that_the_server_knows(ground: Ground) -> None:
    stranger = "SUACSSL3UAHUDXKFSNVUZRF5UHPMWZ6BFDTJ7M6USDXIEDNPPQYYYCU3VY"  # the example key of the NATS documentation
    for login in ({}, {"nkeys_seed_str": stranger}):
        with pytest.raises(Exception, match=r"(?i)authorization violation|nkeys|no servers"):
            await nats.connect(ground.servers.nats_url, allow_reconnect=False, error_cb=_ignore, **login)


async def _ignore(_: Exception) -> None:
    return None


# PostgreSQL ------------------------------------------------------------------------------------------------------------


async def tables(ground: Ground) -> list[tuple[str, str]]:
    async with ground.admin() as admin:
        rows = await admin.fetch(
            "select schemaname, tablename from pg_tables where schemaname = any($1)", [plane.value for plane in Plane]
        )
    return [(row["schemaname"], row["tablename"]) for row in rows]


@pytest.mark.parametrize("plane", list(Plane))
async def test_a_planes_role_touches_no_table_of_another_schema(ground: Ground, plane: Plane) -> None:
    foreign = [(schema, table) for schema, table in await tables(ground) if schema != plane.value]
    assert ("operating", "controls") in foreign or plane is Plane.OPERATING
    async with ground.sql(plane) as connection:
        for schema, table in foreign:
            for statement in (
                f"select 1 from {schema}.{table}",
                f"delete from {schema}.{table}",
                f"insert into {schema}.{table} default values",
                f"truncate {schema}.{table}",
            ):
                with pytest.raises(asyncpg.InsufficientPrivilegeError):
                    await connection.execute(statement)


@pytest.mark.parametrize("plane", list(Plane))
async def test_a_planes_role_has_no_way_up(ground: Ground, plane: Plane) -> None:
    async with ground.sql(plane) as connection:
        role = await connection.fetchrow(
            "select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication from pg_roles where rolname = current_user"
        )
        assert not any(role.values())
        assert await connection.fetch("select 1 from pg_auth_members where member = current_user::regrole") == []
        for statement in (
            "set role postgres",
            *(f"set role dealix_{other.value}" for other in Plane if other is not plane),
            f"create table {plane.value}.mine (id int)",
            "create table public.mine (id int)",
            "create schema mine",
            "create role mine",
        ):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)


async def test_every_table_that_names_a_tenant_is_under_forced_row_security(ground: Ground) -> None:
    async with ground.admin() as admin:
        rows = await admin.fetch(
            "select c.oid::regclass::text as name, c.relrowsecurity and c.relforcerowsecurity as forced,"
            "  coalesce((select bool_and(p.qual like '%dealix.tenants%') from pg_policies p"
            "    where p.schemaname = n.nspname and p.tablename = c.relname), false) as by_tenant "
            "from pg_class c join pg_namespace n on n.oid = c.relnamespace "
            "join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped "
            "where c.relkind in ('r', 'p') and n.nspname = any($1)",
            [plane.value for plane in Plane],
        )
    assert {row["name"] for row in rows if not (row["forced"] and row["by_tenant"])} == TENANTLESS
    assert "operating.controls" in {row["name"] for row in rows}


async def _insert_flag(connection: Any, tenant: object) -> None:
    await connection.execute(
        "insert into operating.flag_values (tenant_id, name, value, changed_by) values ($1, 'whatsapp_brief', false, 'user:1')",
        tenant,
    )


async def test_with_the_tenant_unset_there_are_no_rows_and_none_can_be_written(ground: Ground) -> None:
    ours, theirs = new_id(), new_id()
    async with ground.sql(Plane.OPERATING) as connection:
        async with connection.transaction():
            await connection.execute(f"set local dealix.tenants = '{ours}'")
            await _insert_flag(connection, ours)
            assert await connection.fetchval("select count(*) from operating.flag_values") == 1
        assert await connection.fetchval("select count(*) from operating.flag_values") == 0
        assert await connection.execute("update operating.flag_values set value = true") == "UPDATE 0"
        assert await connection.execute("delete from operating.flag_values") == "DELETE 0"
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await _insert_flag(connection, ours)
    async with ground.sql(Plane.OPERATING) as fresh:
        assert await fresh.fetchval("select count(*) from operating.flag_values") == 0, (
            "on a connection that never set it"
        )
        for setting in ("", str(theirs)):
            async with fresh.transaction():
                await fresh.execute(f"set local dealix.tenants = '{setting}'")
                assert await fresh.fetchval("select count(*) from operating.flag_values") == 0


async def test_a_row_of_another_tenant_is_neither_written_nor_moved_to(ground: Ground) -> None:
    ours, theirs = new_id(), new_id()
    async with ground.sql(Plane.OPERATING) as connection:
        for attempt in ("insert", "move"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await _cross(connection, ours, theirs, attempt)
    async with ground.admin() as admin:
        assert await admin.fetchval("select count(*) from operating.flag_values where tenant_id = $1", theirs) == 0


async def _cross(connection: Any, ours: object, theirs: object, attempt: str) -> None:
    async with connection.transaction():
        await connection.execute(f"set local dealix.tenants = '{ours}'")
        if attempt == "insert":
            await _insert_flag(connection, theirs)
        else:
            await _insert_flag(connection, ours)
            await connection.execute("update operating.flag_values set tenant_id = $1", theirs)


async def test_what_is_append_only_is_not_changed_even_by_its_own_plane(ground: Ground) -> None:
    tried = 0
    async with ground.admin() as admin:
        listed = await admin.fetch("select schemaname from pg_tables where tablename = 'append_only'")
        names = {
            row["schemaname"]: await admin.fetch(f"select name from {row['schemaname']}.append_only") for row in listed
        }
    for schema, rows in names.items():
        async with ground.sql(Plane(schema)) as connection:
            for row in rows:
                for statement in (f"delete from {schema}.{row['name']}", f"truncate {schema}.{row['name']}"):
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await connection.execute(statement)
                    tried += 1
    assert tried >= 10
