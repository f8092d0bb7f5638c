"""A read-only copy of a plane's database, for questions whose answers may be a little old: metrics, and the rows behind them.

How old is measured, not assumed. Every second the plane notes where the primary's log stands, then how far the copy has replayed: all that
was answered as committed before a note is in the copy once the copy has passed it. No privilege, no table and no second clock is needed
for that. A copy that is behind by more than the limit, that answers nothing, or that is none, is left alone: the primary is asked instead.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque
from collections.abc import Awaitable, Callable, Iterable
from time import monotonic
from typing import Any

import asyncpg

from libs.contracts.message import Plane
from libs.runtime.metering import sample

log = logging.getLogger(__name__)

WATCH_SECONDS = 1.0
ANSWER_SECONDS = 5.0
KEPT_NOTES = 600
"""Notes about the primary: a copy that is further behind than these is of no use to anybody."""
Read = Callable[[], Awaitable[Any]]
# What a copy says when it can't go on with a question that the primary could answer: it replays over what the question reads, it restarts,
# it was promoted while we asked, it has not replayed a migration yet. A question that is wrong is wrong at the primary too.
GIVING_UP = (asyncpg.PostgresConnectionError, asyncpg.SerializationError, asyncpg.OperatorInterventionError, asyncpg.SyntaxOrAccessError,
             asyncpg.DeadlockDetectedError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError, TimeoutError)  # fmt: skip


class Progress:
    """Where the primary stood when, and until when the copy is known to be complete. Positions are bytes of the write-ahead log."""

    def __init__(self) -> None:
        self._notes: deque[tuple[float, int]] = deque(maxlen=KEPT_NOTES)
        self._until: float | None = None

    def note(self, at: float, position: int) -> None:
        """The primary had acknowledged nothing beyond `position` at `at` (any clock that only goes forward, in seconds)."""
        self._notes.append((at, position))

    def replayed(self, position: int) -> None:
        """The copy has everything up to `position`."""
        while self._notes and self._notes[0][1] <= position:
            self._until = self._notes.popleft()[0]

    def lost(self) -> None:
        """Nothing is known of the copy any more."""
        self._until = None

    def age(self, now: float) -> float:
        """Seconds by which the copy is behind at most; infinite when nothing is known."""
        return math.inf if self._until is None else now - self._until


class NotACopy(Exception):
    """The address is no standby of this plane's primary; the message says what it is."""


class Replica:
    """The copy at `url`. Watch it with `run`; ask it through `Database.read`."""

    def __init__(
        self, plane: Plane, url: str, *, limit: float, pool_size: int = 6, clock: Callable[[], float] = monotonic
    ) -> None:
        """`limit`: how old an answer may be, in seconds."""
        self.plane = plane
        self.limit = limit
        self.answered = {"replica": 0, "primary": 0}
        self._url = url
        self._pool_size = pool_size
        self._clock = clock
        self._pool: Any = None
        self._progress = Progress()
        self._said = ""

    @property
    def age(self) -> float:
        """Seconds by which the copy is behind at most, infinite when unknown."""
        return self._progress.age(self._clock())

    @property
    def pool(self) -> Any | None:
        """Connections to the copy, while it may be asked."""
        return self._pool if self.age <= self.limit else None

    async def run(self, primary: Read) -> None:
        """Keep looking, for ever. `primary` reads the primary's position and identity: `(position, system identifier)`."""
        while True:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await self._look(primary)
                self._say("")
            except NotACopy as error:
                self._progress.lost()
                self._say(str(error))
            except (*GIVING_UP, asyncpg.PostgresError, ValueError) as error:
                # What it had replayed it still has: its age grows until it passes the limit.
                self._say(f"it can't be asked ({type(error).__name__})")
            await asyncio.sleep(WATCH_SECONDS)

    async def stop(self) -> None:
        if self._pool is not None:
            self._pool.terminate()

    def lines(self) -> Iterable[str]:
        """For `/metrics`: how far behind, and who answered."""
        yield "# TYPE dealix_replica_age_seconds gauge"
        yield sample("dealix_replica_age_seconds", self.age, plane=self.plane.value)
        yield "# TYPE dealix_reads_total counter"
        for source, number in self.answered.items():
            yield sample("dealix_reads_total", number, plane=self.plane.value, source=source)

    async def _look(self, primary: Read) -> None:
        if self._pool is None:
            self._pool = await asyncpg.create_pool(
                self._url, min_size=1, max_size=self._pool_size, timeout=ANSWER_SECONDS, command_timeout=60, reset=_no_reset,
                server_settings={"search_path": self.plane.value, "application_name": f"dealix-{self.plane.value}-read"},
            )  # fmt: skip
        try:
            at = self._clock()
            position, identity = await primary()
            self._progress.note(at, position)
        except GIVING_UP:
            # The primary is silent; the copy is asked all the same, and its age says that nothing newer is known.
            identity = None
        async with self._pool.acquire() as connection:
            row = await connection.fetchrow(
                "select current_user as login, pg_is_in_recovery() as copies, pg_last_wal_replay_lsn() - '0/0'::pg_lsn as replayed, "
                "(select system_identifier from pg_control_system()) as identity"
            )
        # Another login could see other tenants' rows: row security is the role's.
        if row["login"] != f"dealix_{self.plane.value}":
            raise NotACopy(f"it logs in as {row['login']}")
        if not row["copies"]:
            raise NotACopy("it is no standby")
        if identity is not None and row["identity"] != identity:
            raise NotACopy("it is a standby of another server")
        self._progress.replayed(int(row["replayed"]))

    def _say(self, what: str) -> None:
        """Once for each change: the log is for what happens, the gauge for how it is."""
        if what == self._said:
            return
        self._said = what
        name = f"DEALIX_{self.plane.value.upper()}_READ_DATABASE_URL"
        if what:
            log.warning("%s is not used for reading: %s; the primary answers instead", name, what)
        else:
            log.info("%s is used for reading again", name)


async def _no_reset(_: Any) -> None:
    """Every transaction sets its own tenants, transaction-locally."""
