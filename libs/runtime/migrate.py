"""The migrator: roles, schemas, tables, streams and consumers. It alone holds administrator credentials.

Each plane has its own Alembic history under `services/<plane>/migrations`, in its own schema.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import nats
import nats.js.errors
from alembic import op
from alembic.config import Config
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    DeliverPolicy,
    ObjectStoreConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from sqlalchemy import Connection, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.util import await_only

from libs.contracts.message import Plane
from libs.contracts.subjects import BUCKETS, EVENTS
from libs.runtime.delivery import MAX_DELIVERIES
from libs.runtime.nats_config import DLQ_DURABLE, DLQ_STREAM, streams
from libs.runtime.partitions import bound, following, roll_over, utc_today
from libs.runtime.tls import nats_tls

MIGRATING = 72014
"""Advisory lock: one migrator at a time, on any host."""
SERVICES = Path(__file__).resolve().parents[2] / "services"


class MigrationError(Exception):
    """The database could not be brought to this version; the message says why."""


def script_location(plane: Plane) -> Path:
    return SERVICES / plane.value / "migrations"


async def migrate(admin_url: str, passwords: Mapping[str, str], *, database: str = "dealix") -> None:
    """Bring a PostgreSQL server to this version: database, one role and schema a plane, tables. Running it again changes nothing.

    `passwords` maps plane names to the passwords of `dealix_<plane>`; where an operator keeps the roles it is empty. The login needs
    no superuser: it owns the database and may create roles where it has to.
    Raises MigrationError when the database is newer than this program.
    """
    await _ensure_database(admin_url, database)
    url = on_database(admin_url, database)
    connection = await asyncpg.connect(url)
    try:
        await connection.execute("select pg_advisory_lock($1)", MIGRATING)
        for name in ("pg_trgm", "unaccent", "vector"):
            await connection.execute(f"create extension if not exists {name} with schema public")
        await connection.execute("revoke create on schema public from public")
        for plane in Plane:
            await _ensure_role(connection, plane, passwords.get(plane.value))
        engine = create_async_engine("postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url))
        try:
            async with engine.connect() as async_connection:
                for plane in Plane:
                    if script_location(plane).is_dir():
                        await async_connection.run_sync(_upgrade, plane)
        finally:
            await engine.dispose()
        for plane in Plane:
            await _grant(connection, plane)
            await connection.execute(_TENANTS_ALIKE.format(schema=plane.value))
        await roll_over(connection, utc_today())
    finally:
        await connection.close()


_TENANTS_ALIKE = """
do $$ declare its record;
begin
  for its in select c.oid::regclass as named, c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
    where c.relnamespace = '{schema}'::regnamespace and c.relkind in ('r', 'p') and a.attname = 'tenant_id' and not a.attisdropped
    and a.attstattarget is distinct from 0
  loop
    execute format('alter table %s alter column tenant_id set statistics 0', its.named);
    if to_regproc('pg_catalog.pg_clear_attribute_stats') is not null then
      perform pg_clear_attribute_stats('{schema}', its.relname, 'tenant_id', false);
    end if;
  end loop;
end $$"""
"""Of a table's tenants the planner keeps no list. With one, it takes a tenant that is not in it to have no rows, and any index on the tenant to
be as good as one on the tenant and an id: look-ups by id went through all rows of a tenant that was new since the last statistics. Without it a
tenant is supposed to have a two-hundredth of the table, and an id always tells more. (`eqsel` and DEFAULT_NUM_DISTINCT in PostgreSQL's selfuncs.c;
what statistics there were are forgotten from PostgreSQL 18 on, and stay before.)"""


def on_database(url: str, database: str) -> str:
    """The same login, server and TLS options, on another database of it."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))


async def _ensure_database(admin_url: str, database: str) -> None:
    connection = await asyncpg.connect(on_database(admin_url, "postgres"))
    try:
        if not await connection.fetchval("select 1 from pg_database where datname = $1", database):
            await connection.execute(f'create database "{database}"')
    finally:
        await connection.close()


_ROLE = "login nosuperuser nobypassrls nocreatedb nocreaterole noinherit"


async def _ensure_role(connection: Any, plane: Plane, password: str | None) -> None:
    """The plane's role and schema. Without a password the role must be there: an operator keeps it and its password then."""
    role = f"dealix_{plane.value}"
    found = await connection.fetchrow(
        "select rolcanlogin and not (rolsuper or rolbypassrls or rolcreatedb or rolcreaterole or rolinherit) as right_as_it_is"
        " from pg_roles where rolname = $1",
        role,
    )
    if found is None and password is None:
        raise MigrationError(f"The role {role} does not exist and no password was given to create it with.")
    secret = (
        "" if password is None else f" password {await connection.fetchval('select quote_literal($1::text)', password)}"
    )
    if found is None:
        await connection.execute(f"create role {role} {_ROLE}{secret}")
    elif not found["right_as_it_is"]:
        # Only a superuser may say `nosuperuser`, even of a role that is none: so only where something has to change.
        await connection.execute(f"alter role {role} {_ROLE}{secret}")
    elif secret:
        await connection.execute(f"alter role {role}{secret}")
    await connection.execute(f"create schema if not exists {plane.value}")


async def _grant(connection: Any, plane: Plane) -> None:
    schema, role = plane.value, f"dealix_{plane.value}"
    await connection.execute(
        f"revoke all on schema {schema} from public; grant usage on schema {schema} to {role};"
        f"grant select, insert, update, delete on all tables in schema {schema} to {role};"
        f"grant usage on all sequences in schema {schema} to {role}"
    )
    if await connection.fetchval("select to_regclass($1)", f"{schema}.append_only") is not None:
        for row in await connection.fetch(f"select name from {schema}.append_only"):
            await connection.execute(f"revoke update, delete on {schema}.{row['name']} from {role}")


def _upgrade(connection: Connection, plane: Plane) -> None:
    config = Config()
    config.set_main_option("script_location", str(script_location(plane)))
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    connection.execute(text(f"set search_path = {plane.value}, public"))

    def to_head(revision: Any, _: Any) -> Any:
        current = revision if isinstance(revision, tuple) else (revision,) if revision else ()
        unknown = set(current) - known
        if unknown:
            raise MigrationError(
                f"The {plane.value} schema is at {sorted(unknown)[0]}, which this version does not know: upgrade Dealix first."
            )
        return script._upgrade_revs("head", revision)

    with EnvironmentContext(config, script, fn=to_head) as environment:
        environment.configure(connection=connection, version_table_schema=plane.value)
        with environment.begin_transaction():
            environment.run_migrations()
    connection.commit()


def run(sql: str) -> None:
    """Run a script of several statements inside the current migration; `op.execute` prepares, and takes one at a time."""
    bind = op.get_bind()
    bind.execute(text("select 1"))  # opens the driver's transaction, which the script then is part of
    driver: Any = bind.connection.driver_connection
    await_only(driver.execute(sql))


def delivery_tables(schema: str) -> str:
    """SQL of the outbox and inbox, which every plane has: its first migration runs it."""
    return f"""
    create table {schema}.outbox (
      id uuid primary key, subject text not null, headers jsonb not null, body bytea not null,
      created_at timestamptz not null default now(), published_at timestamptz);
    create index outbox_unpublished on {schema}.outbox (id) where published_at is null;
    create index outbox_published on {schema}.outbox (published_at) where published_at is not null;
    create table {schema}.inbox (
      consumer text not null, message_id text not null, received_at timestamptz not null default now(),
      primary key (consumer, message_id));
    """


_TENANTS = "string_to_array(nullif(current_setting('dealix.tenants', true), ''), ',')::uuid[]"


def row_security(schema: str, *tables: str, batches: bool = False) -> str:
    """SQL that shows a tenant's rows to that tenant's units of work alone; unset means no rows.

    Both forms read the list once a statement and not once a row. The first can be an index condition. `batches` is for tables whose
    rows are looked up by key for many tenants at once: there the list would be sorted again for every key (100 keys of 50 tenants:
    10 ms instead of 0.5), so it becomes a hash table, and queries have to name the tenant themselves to use an index.
    """
    rule = f"tenant_id in (select unnest({_TENANTS}))" if batches else f"tenant_id = any((select {_TENANTS})::uuid[])"
    return "".join(
        f"create policy tenant on {schema}.{table} using ({rule}) with check ({rule});"
        f"alter table {schema}.{table} enable row level security; alter table {schema}.{table} force row level security;"
        for table in tables
    )


_SHAPE = """
select 'alter table {whole} add ' || pg_get_constraintdef(c.oid) as statement, c.conkey::int2[] as columns
from pg_constraint c where c.conrelid = '{whole}'::regclass and c.contype = 'p'
union all
select pg_get_indexdef(i.indexrelid), case when i.indisunique then i.indkey::int2[] end
from pg_index i where i.indrelid = '{whole}'::regclass and not i.indisprimary
  and i.indexrelid <> all (array(select unnest(array[{dropped}]::text[])::regclass))
"""
_TRIGGERS = "select tgname as name, pg_get_triggerdef(oid) as made from pg_trigger where tgrelid = '{whole}'::regclass and not tgisinternal"


def split_by_month(schema: str, table: str, key: str, *, without: tuple[str, ...] = ()) -> None:
    """In a migration: make `table` partitioned by the month of its `key`, a UUIDv7. What it holds becomes its first partition, in place.

    Its indexes and triggers go over, but for the indexes named in `without`: PostgreSQL keeps a unique index over all partitions only
    when it contains the key, so what another one promised has to be kept elsewhere. Raises ValueError for one that is not named.
    """
    months, whole, bind = f"{schema}_months", f"{schema}.{table}", op.get_bind()
    dropped = ", ".join(f"'{schema}.{index}'" for index in without)
    shape = bind.execute(text(_SHAPE.format(whole=whole, dropped=dropped))).mappings().all()
    triggers = bind.execute(text(_TRIGGERS.format(whole=whole))).mappings().all()
    place = bind.execute(
        text(f"select attnum from pg_attribute where attrelid = '{whole}'::regclass and attname = '{key}'")
    ).scalar_one()
    for row in shape:
        if row["columns"] is not None and place not in row["columns"]:
            raise ValueError(f"unique over all months, without {key}: {row['statement']}")
    run(f"""
    create schema if not exists {months};
    drop policy tenant on {whole};
    alter table {whole} disable row level security, no force row level security;
    revoke all on {whole} from dealix_{schema};
    {"".join(f"drop trigger {row['name']} on {whole};" for row in triggers)}
    {"".join(f"drop index {schema}.{index};" for index in without)}
    alter table {whole} set schema {months};
    alter table {months}.{table} rename to {table}_before;
    create table {whole} (like {months}.{table}_before including defaults including storage including compression)
      partition by range ({key});
    {"".join(f"{row['statement']};" for row in shape)}
    alter table {whole} attach partition {months}.{table}_before for values from (minvalue) to ('{bound(following(utc_today()))}');
    create table {months}.{table}_default partition of {whole} default;
    {"".join(f"{row['made']};" for row in triggers)}
    """)
    run(row_security(schema, table, batches=True))


async def ensure_streams(nats_url: str, seed: str, *, replicas: int = 1, ca: Path | None = None) -> None:
    """Create or update the streams, durable consumers and object stores that `subjects.py` declares.

    `ca` is the authority of a server with TLS.
    """
    client = await nats.connect(
        nats_url.split(","),
        nkeys_seed_str=seed,
        inbox_prefix=b"_INBOX_migrator",
        connect_timeout=5,
        tls=nats_tls(nats_url, ca),
    )
    try:
        jetstream = client.jetstream()
        wanted = {
            name: StreamConfig(name=name, subjects=subjects, max_age=7 * 86400.0)
            for name, subjects in streams().items()
        }
        wanted[DLQ_STREAM] = StreamConfig(name=DLQ_STREAM, subjects=["dlq.>"], max_age=90 * 86400.0)
        existing = {info.config.name for info in await jetstream.streams_info()}
        for name, config in wanted.items():
            config = config.evolve(
                retention=RetentionPolicy.LIMITS,
                storage=StorageType.FILE,
                num_replicas=replicas,
                duplicate_window=600.0,
            )
            await (jetstream.update_stream(config) if name in existing else jetstream.add_stream(config))
        for event in EVENTS:
            for consumer in event.consumers:
                await jetstream.add_consumer(
                    event.stream,
                    ConsumerConfig(
                        durable_name=event.durable(consumer),
                        filter_subject=event.subject,
                        ack_policy=AckPolicy.EXPLICIT,
                        deliver_policy=DeliverPolicy.ALL,
                        ack_wait=30.0,
                        max_deliver=MAX_DELIVERIES + 1,
                        max_ack_pending=2000,
                    ),
                )
        await jetstream.add_consumer(
            DLQ_STREAM,
            ConsumerConfig(
                durable_name=DLQ_DURABLE, filter_subject="dlq.>", ack_policy=AckPolicy.EXPLICIT, deliver_policy=DeliverPolicy.ALL,
                ack_wait=30.0, max_ack_pending=2000,
            ),
        )  # fmt: skip
        for bucket in BUCKETS:
            if f"OBJ_{bucket.name}" not in existing:
                await jetstream.create_object_store(
                    bucket.name, ObjectStoreConfig(max_bytes=bucket.max_bytes, replicas=replicas, ttl=7 * 86400)
                )
    finally:
        await client.close()
