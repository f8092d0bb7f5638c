"""Carries one import out: chunk by chunk, all in one transaction. Small files in the plane's own process, large ones in a
child of their own, so that the plane goes on answering."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import asdict, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from libs.contracts.data import ContactsChanged, ImportCounts, ImportRequest, ImportState
from libs.contracts.message import Plane, new_id
from libs.contracts.observed import ImportFact
from libs.contracts.subjects import AUDITED, CONTACTS_CHANGED
from libs.contracts.trust import AuditRecorded
from libs.runtime.database import BatchWork, Database
from services.data.importing.domain.batch import uncollected
from services.data.importing.domain.clusters import Filed
from services.data.importing.domain.detect import read_file
from services.data.importing.domain.mapping import of_people
from services.data.importing.domain.plan import plan_import
from services.data.importing.domain.records import LeadRow, MergePlan, ParsedFile, ReadRows
from services.data.importing.domain.rows import read_rows
from services.data.importing.store import Imports, Written
from services.data.matching.keys import Digests, MatchKeys, row_keys
from services.data.screening.domain.texts import of_rows
from services.data.screening.telling import of_import, tell
from services.data.telling import tell_facts

CHUNK = 10_000
"""Rows read, matched and written at a time: what an import holds in memory beside the file's own text."""
FIRST_CHUNK = 2_000
"""So that PostgreSQL soon has something to write."""
AHEAD = 2
"""Chunks that are read ahead of the one that is matched."""
PAGE = 1000
MANY = 5_000
"""From so many rows on the planner is told at once what the tables hold now."""


class TenantBusy(Exception):
    """Another import of this tenant is being written; this one waits its turn."""


class Cancelled(Exception):
    """A person asked for it to stop; nothing of it was kept."""


class _Rehearsed(Exception):
    """A dry run has seen everything; what it wrote is taken back."""


async def carry_out(
    database: Database, request: ImportRequest, content: bytes, *, now: datetime, trace_id: str
) -> None:
    """Read, match and write an import in one transaction: it is there or it is not.

    Raises FileRefused, Cancelled, TenantBusy.
    """
    tenant, import_id = request.principal.tenant_id, request.import_id
    async with database.batch(tenant) as work:
        remembered = await Imports(work).remembered_mapping(tenant, request.source)
    parsed = await asyncio.to_thread(read_file, content, mapping=request.mapping, remembered=remembered)
    carried = _Carried(database, request, parsed, now)
    try:
        async with database.batch(tenant) as work:
            # One import a tenant at a time: two of the same file must not both find nothing to match.
            if not await work.connection.fetchval(
                "select pg_try_advisory_xact_lock(hashtextextended($1::text, 1))", str(tenant)
            ):
                raise TenantBusy
            # What an open transaction has written, nobody's statistics know: a plan of nested loops would go through it once a row.
            await work.connection.execute("set local enable_nestloop = off")
            await carried.write(work)
            if request.dry_run:
                raise _Rehearsed
            imports = Imports(work)
            await imports.describe(tenant, import_id, parsed, carried.counts)
            if request.mapping:
                await imports.remember_mapping(tenant, request.source, request.mapping)
            await imports.step(tenant, import_id, ImportState.ASSESSING, 0.7)
            tell_facts(work, tenant, [_kept(request, parsed)], now)
            # Of new contacts nobody holds anything that could be stale.
            tell_changed(work, tenant, carried.changed_contacts, now)
            work.emit(
                AUDITED[Plane.DATA],
                AuditRecorded(
                    entry_id=new_id(),
                    tenant_id=tenant,
                    kind="import.written",
                    actor=request.principal.id,
                    target=f"import:{import_id}",
                    at=now,
                    data={"source": request.source, **carried.counts.model_dump()},
                    trace_id=trace_id,
                ),
            )
        if carried.counts.rows >= MANY:
            async with database.batch(tenant) as work:
                await Imports(work).refresh_statistics()
    except _Rehearsed:
        async with database.batch(tenant) as work:
            imports = Imports(work)
            await imports.describe(tenant, import_id, parsed, carried.counts)
            for plan in carried.rejecting:
                await imports.write_rejects(tenant, import_id, plan)
            await imports.finish(tenant, import_id, ImportState.COMPLETED)


class _Chunk(NamedTuple):
    """Some rows of the file, typed, with what matching sees of each and the keys of each, by row number."""

    part: ParsedFile
    rows: ReadRows
    filed: dict[int, Filed]
    keys: dict[int, Digests]


class _Written(NamedTuple):
    """A chunk whose companies and people are stored, and whose leads and rows are not yet."""

    chunk: _Chunk
    plan: MergePlan
    stored: Written
    fresh: tuple[LeadRow, ...]


class _Carried:
    """An import on its way: what became of the rows so far."""

    def __init__(self, database: Database, request: ImportRequest, parsed: ParsedFile, now: datetime) -> None:
        self._database = database
        self._request = request
        self._parsed = parsed
        self._now = now
        self._counts: Counter[str] = Counter()
        self._clean: set[str] = set()
        self.changed_contacts: list[UUID] = []
        self.rejecting: list[MergePlan] = []

    @property
    def counts(self) -> ImportCounts:
        return ImportCounts(**self._counts)

    async def write(self, work: BatchWork) -> None:
        tenant, import_id = self._request.principal.tenant_id, self._request.import_id
        imports, keys = Imports(work), MatchKeys(work)
        done, total = 0, max(1, len(self._parsed.rows))
        changed: dict[UUID, None] = {}
        written: _Written | None = None
        async for chunk in self._read():
            await self._report(done / total)
            fresh = chunk.rows.leads
            if seen := await imports.seen(tenant, import_id, [row.fingerprint for row in fresh]):
                fresh = tuple(row for row in fresh if row.fingerprint not in seen)
            await keys.file_unfiled(tenant)
            existing = await keys.candidates(tenant, [chunk.keys[row.row_number] for row in fresh])
            # What nobody matches against is written while the next rows are matched.
            async with asyncio.TaskGroup() as group:
                if written is not None:
                    group.create_task(self._write_rest(work, written))
                plan = await asyncio.to_thread(plan_import, chunk.rows, existing, seen, chunk.filed)
            self._counts.update(asdict(plan.counts))
            stored = await imports.write_records(tenant, import_id, plan, chunk.keys)
            changed.update(dict.fromkeys(stored.changed_contacts))
            written = _Written(chunk, plan, stored, fresh)
            if self._request.dry_run and plan.rejected:
                self.rejecting.append(replace(plan, decisions=(), accounts=(), contacts=(), leads=(), reviews=()))
            done += len(chunk.part.rows)
        if written is not None:
            await self._write_rest(work, written)
        self.changed_contacts = list(changed)

    async def _write_rest(self, work: BatchWork, written: _Written) -> None:
        """Leads, outcomes of rows, pairs for review; and what the rows' texts show."""
        tenant, import_id = self._request.principal.tenant_id, self._request.import_id
        await Imports(work).write_rest(tenant, import_id, written.plan, written.stored)
        texts = [(row.row_number, row.raw) for row in written.fresh]
        found = await asyncio.to_thread(of_rows, written.chunk.part.mapping, texts, self._clean)
        tell(work, tenant, f"import:{import_id}", await of_import(work, tenant, import_id, found), self._now)

    async def _read(self) -> AsyncIterator[_Chunk]:
        """Chunk by chunk; the next ones are read while PostgreSQL writes this one."""
        waiting: deque[asyncio.Task[_Chunk]] = deque()
        one_at_a_time = asyncio.Lock()

        async def read(part: ParsedFile) -> _Chunk:
            async with one_at_a_time:
                return await asyncio.to_thread(self._rows, part)

        for part in chunks(self._parsed):
            waiting.append(asyncio.create_task(read(part)))
            if len(waiting) > AHEAD:
                yield await waiting.popleft()
        while waiting:
            yield await waiting.popleft()

    def _rows(self, part: ParsedFile) -> _Chunk:
        rows = read_rows(part, source=self._request.source, today=self._now.date())
        with uncollected():
            filed = {row.row_number: Filed.of(row) for row in rows.leads}
            return _Chunk(part, rows, filed, {number: row_keys(one) for number, one in filed.items()})

    async def _report(self, share: float) -> None:
        """Progress, and whether anybody wants it to stop: in a transaction of its own, so that others see it now."""
        tenant, import_id = self._request.principal.tenant_id, self._request.import_id
        async with self._database.batch(tenant) as work:
            imports = Imports(work)
            if await imports.cancel_requested(tenant, import_id):
                raise Cancelled
            await imports.step(tenant, import_id, ImportState.MATCHING, 0.1 + 0.6 * share)


def _kept(request: ImportRequest, parsed: ParsedFile) -> ImportFact:
    return ImportFact(
        subject=request.import_id, source=request.source, fields=tuple(sorted(parsed.mapping.keys() & of_people())),
        dropped=len(parsed.columns) - len(parsed.mapping),
    )  # fmt: skip


def chunks(parsed: ParsedFile) -> Iterator[ParsedFile]:
    """The file in parts; lines beyond reading go with the first."""
    start, end = 0, FIRST_CHUNK
    while start == 0 or start < len(parsed.rows):
        yield replace(parsed, rows=parsed.rows[start:end], broken=parsed.broken if start == 0 else ())
        start, end = end, end + CHUNK


def tell_changed(work: BatchWork, tenant_id: UUID, contact_ids: list[UUID], now: datetime) -> None:
    for start in range(0, len(contact_ids), PAGE):
        work.emit(
            CONTACTS_CHANGED,
            ContactsChanged(
                tenant_id=tenant_id, contact_ids=tuple(contact_ids[start : start + PAGE]), version=1, at=now
            ),
        )
