"""PostgreSQL for a plane: units of work, tenant row security, outbox and inbox.

`work()` gives a SQLAlchemy session; `batch()` gives an asyncpg connection for hot paths. Both are one transaction that sees exactly
the tenants it names (none: no tenant's rows), and both can `emit` events, which commit with it.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar
from uuid import UUID

import asyncpg

from libs.contracts.message import Message, Plane, new_id
from libs.contracts.subjects import Event
from libs.runtime import telemetry
from libs.runtime.replica import GIVING_UP, Replica

if TYPE_CHECKING:
    from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

M = TypeVar("M", bound=Message)
T = TypeVar("T")
log = logging.getLogger(__name__)
Connection = Any
"""An asyncpg connection (or its pool proxy); asyncpg ships no usable types."""
Plans = Literal["by_default", "kept", "anew"]
"""How PostgreSQL plans the statements of a transaction: see `Database.batch`."""
_PLANS: dict[Plans, str] = {
    "by_default": "",
    # Without the second, a plan made while a table is small would go on reading all of it as it grows.
    "kept": "set local plan_cache_mode = force_generic_plan; set local enable_seqscan = off; ",
    "anew": "set local plan_cache_mode = force_custom_plan; ",
}


@dataclass
class _Emitted:
    id: UUID
    subject: str
    headers: str
    body: bytes


@dataclass
class Work:
    """One transaction. `emit` only notes the event; it is written when the transaction commits."""

    tenants: tuple[UUID, ...]
    emitted: list[_Emitted] = field(default_factory=list)
    following: list[Callable[[], None]] = field(default_factory=list)
    _trace: tuple[object, str] = field(default=(None, ""), init=False)
    """The context of the last event, and its headers: a batch emits hundreds in one."""

    def emit(self, event: Event[M], message: M) -> UUID:
        """Publish `message` if, and only if, this transaction commits. Returns the event's id (`Nats-Msg-Id`)."""
        return self.emit_written(event, message.__pydantic_serializer__.to_json(message))

    def emit_written(self, event: Event[Any], body: bytes) -> UUID:
        """`emit`, of a message that is JSON already. Nothing looks whether it is one of this event: that is the caller's word."""
        context, headers = self._trace
        current = telemetry.current()
        if current is not context or not headers:
            headers = json.dumps(telemetry.headers())
            self._trace = current, headers
        event_id = new_id()
        self.emitted.append(_Emitted(event_id, event.subject, headers, body))
        return event_id

    def then(self, done: Callable[[], None]) -> None:
        """Call `done` once this transaction has committed: who is woken before that finds nothing of what it wrote, and sleeps on."""
        self.following.append(done)

    def committed(self) -> None:
        """It has committed."""
        for done in self.following:
            done()


@dataclass
class SessionWork(Work):
    session: AsyncSession = None  # type: ignore[assignment]  # set by Database.work before anyone sees it

    async def batch(self) -> BatchWork:
        """The same transaction as a bare asyncpg connection; what it emits commits with this one."""
        raw = await (await self.session.connection()).get_raw_connection()
        return BatchWork(self.tenants, self.emitted, self.following, raw.driver_connection)


@dataclass
class BatchWork(Work):
    connection: Connection = None


@dataclass(frozen=True)
class Answer(Generic[T]):
    """What a question found, and how many seconds old it may be: 0 from the primary."""

    value: T
    age: float = 0.0


async def _no_reset(_: Connection) -> None:
    """Every transaction sets its own tenants, transaction-locally; asyncpg's reset would cost a round trip each time."""


def tenant_list(tenants: Iterable[UUID]) -> str:
    """The value of `dealix.tenants`. Only UUIDs get in, so that it is safe as a literal.

    Raises TypeError for anything that is not a UUID.
    """
    out = []
    for tenant in tenants:
        if not isinstance(tenant, UUID):
            raise TypeError("a tenant is named by its UUID")
        out.append(str(tenant))
    return ",".join(out)


class Database:
    """A plane's engine and pool, under its own role. `on_commit` is called after a transaction that emitted something."""

    def __init__(
        self, plane: Plane, url: str, *, pool_size: int = 12, sessions: bool = True, replica: Replica | None = None
    ) -> None:
        """Without `sessions` there are batches only, and SQLAlchemy need not be imported: a short-lived process starts sooner.
        `replica` answers what is asked by `read`, while it is fresh enough."""
        self.plane = plane
        self._url = url
        self._pool_size = pool_size
        self._sessions = sessions
        self.replica = replica
        self._pool: Any = None
        self._engine: AsyncEngine | None = None
        self.on_commit: Callable[[], None] = lambda: None

    async def start(self) -> None:
        self._pool = await asyncpg.create_pool(
            self._url,
            min_size=1,
            max_size=self._pool_size,
            reset=_no_reset,
            command_timeout=60,
            server_settings={"search_path": self.plane.value, "application_name": f"dealix-{self.plane.value}"},
        )
        if not self._sessions:
            return
        from sqlalchemy.ext.asyncio import create_async_engine

        self._engine = create_async_engine(
            "postgresql+asyncpg://",
            # asyncpg reads the address itself: SQLAlchemy's dialect would not understand sslmode and sslrootcert.
            async_creator=self._connect,
            pool_size=5,
            max_overflow=self._pool_size,
            pool_pre_ping=True,
        )

    async def _connect(self) -> Connection:
        return await asyncpg.connect(
            self._url,
            server_settings={"search_path": self.plane.value, "application_name": f"dealix-{self.plane.value}"},
        )

    async def stop(self) -> None:
        if self.replica is not None:
            await self.replica.stop()
        if self._engine is not None:
            await self._engine.dispose()
        if self._pool is not None:
            try:
                await asyncio.wait_for(self._pool.close(), 5)
            except TimeoutError:
                self._pool.terminate()

    @asynccontextmanager
    async def work(self, *tenants: UUID) -> AsyncIterator[SessionWork]:
        """A transaction with a SQLAlchemy session that sees `tenants`. Commits at the end, rolls back on any error."""
        if self._engine is None:
            raise RuntimeError("the database has not been started")
        from sqlalchemy import text
        from sqlalchemy.ext.asyncio import AsyncSession

        async with AsyncSession(self._engine, expire_on_commit=False) as session, session.begin():
            await session.execute(text("select set_config('dealix.tenants', :t, true)"), {"t": tenant_list(tenants)})
            work = SessionWork(tenants, session=session)
            yield work
            for event in work.emitted:
                await session.execute(
                    text(
                        "insert into outbox (id, subject, headers, body) values (:id, :subject, cast(:headers as jsonb), :body)"
                    ),
                    {"id": event.id, "subject": event.subject, "headers": event.headers, "body": event.body},
                )
        work.committed()
        if work.emitted:
            self.on_commit()

    @asynccontextmanager
    async def singly(self) -> AsyncIterator[Connection]:
        """A bare connection on which each statement commits by itself, for tables without tenants: no tenant's rows are seen."""
        if self._pool is None:
            raise RuntimeError("the database has not been started")
        async with self._pool.acquire() as connection:
            yield connection

    @asynccontextmanager
    async def batch(self, *tenants: UUID, plans: Plans = "by_default") -> AsyncIterator[BatchWork]:
        """A transaction on a bare asyncpg connection that sees `tenants`: for hot paths, two round trips of overhead.

        `plans`: "kept" has one plan a statement, by index, whatever the parameters: for statements whose plan never depends on them and
        whose planning costs more than their execution (by default PostgreSQL plans a statement anew each time it hopes to gain by it).
        "anew" plans each statement for what its tables hold at that moment: for look-ups of thousands of rows. A plan that was made
        while a table was empty, when any index seemed as good, would go through a whole tenant for each of them.
        """
        if self._pool is None:
            raise RuntimeError("the database has not been started")
        async with self._pool.acquire() as connection:
            await connection.execute(f"begin; {_PLANS[plans]}set local dealix.tenants = '{tenant_list(tenants)}'")
            work = BatchWork(tenants, connection=connection)
            try:
                yield work
                if work.emitted:
                    await connection.execute(
                        "insert into outbox (id, subject, headers, body) "
                        "select i, s, h::jsonb, b from unnest($1::uuid[], $2::text[], $3::text[], $4::bytea[]) as t(i, s, h, b)",
                        [e.id for e in work.emitted],
                        [e.subject for e in work.emitted],
                        [e.headers for e in work.emitted],
                        [e.body for e in work.emitted],
                    )
                await connection.execute("commit")
            except BaseException:  # a rollback, cancelled or not
                if not connection.is_closed():
                    await asyncio.shield(connection.execute("rollback"))
                raise
        work.committed()
        if work.emitted:
            self.on_commit()

    async def read(self, ask: Callable[[Connection], Awaitable[T]], *tenants: UUID) -> Answer[T]:
        """Ask something that may be a little old, in one transaction that can't write and sees `tenants`.

        The read-only copy answers while it is fresh; the primary does where there is no copy, where it is too old, and where it gives up on
        the question, so `ask` may be called twice.
        """
        replica = self.replica
        if replica is not None and (pool := replica.pool) is not None:
            age = replica.age
            try:
                async with pool.acquire(timeout=5) as connection:
                    found = await _asked(connection, ask, tenants)
                replica.answered["replica"] += 1
                return Answer(found, age)
            except GIVING_UP as error:
                log.info("the read-only copy gave up on a question: %s", type(error).__name__)
        if self._pool is None:
            raise RuntimeError("the database has not been started")
        async with self._pool.acquire() as connection:
            found = await _asked(connection, ask, tenants)
        if replica is not None:
            replica.answered["primary"] += 1
        return Answer(found)

    async def position(self) -> tuple[int, int]:
        """How far the primary's log is on disk, in bytes, and which server it is: all that was answered as committed is before that."""
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(
                "select pg_current_wal_flush_lsn() - '0/0'::pg_lsn as position, (select system_identifier from pg_control_system()) as identity"
            )
        return int(row["position"]), int(row["identity"])


async def _asked(connection: Connection, ask: Callable[[Connection], Awaitable[T]], tenants: Iterable[UUID]) -> T:
    await connection.execute(f"begin read only; set local dealix.tenants = '{tenant_list(tenants)}'")
    try:
        return await ask(connection)
    finally:
        if not connection.is_closed():
            await asyncio.shield(connection.execute("rollback"))
