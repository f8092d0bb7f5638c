"""Carries one import out: chunk by chunk, all in one transaction. Small files in the plane's own process, large ones in a
child of their own, so that the plane goes on answering."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import asdict, replace
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from libs.contracts.data import ContactsChanged, ImportCounts, ImportRequest, ImportState
from libs.contracts.message import Plane, new_id
from libs.contracts.observed import ImportFact
from libs.contracts.subjects import AUDITED, CONTACTS_CHANGED
from libs.contracts.trust import AuditRecorded
from libs.runtime.asking import Asks
from libs.runtime.database import BatchWork, Database
from services.data.importing.domain.batch import uncollected
from services.data.importing.domain.clusters import Filed
from services.data.importing.domain.keys import Keys
from services.data.importing.domain.mapping import of_people
from services.data.importing.domain.plan import plan_import
from services.data.importing.domain.records import LeadRow, MergePlan, ParsedFile
from services.data.importing.look import keep_look
from services.data.importing.newcomers import Arriving
from services.data.importing.parts import Part
from services.data.importing.reading import FIRST_CHUNK, Reading
from services.data.importing.store import Imports, Written
from services.data.importing.turn import Rehearsed, report, take_turn
from services.data.matching.index import KeyIndex
from services.data.matching.keys import MatchKeys, filed_under
from services.data.matching.remembered import Remembered
from services.data.screening.telling import of_import, tell
from services.data.telling import tell_facts

PAGE = 1000


async def carry_out(
    database: Database, asks: Asks, request: ImportRequest, reading: Reading, *, now: datetime, trace_id: str
) -> None:
    """Read, match and write an import in one transaction: it is there or it is not. Of a long one trust is asked meanwhile, by
    `asks`, whom of the new people one may contact.

    Raises FileRefused, Cancelled, TenantBusy, ReaderFailed.
    """
    tenant, import_id = request.principal.tenant_id, request.import_id
    parsed, total = await reading.open()
    carried = _Carried(database, asks if total > FIRST_CHUNK and not request.dry_run else None, request, now)
    try:
        async with database.batch(tenant) as work:
            await take_turn(work, tenant)
            # What an open transaction has written, nobody's statistics know: a plan of nested loops would go through it once a row.
            await work.connection.execute("set local enable_nestloop = off")
            await carried.write(work, reading, total)
            if request.dry_run:
                raise Rehearsed
            imports = Imports(work)
            await imports.describe(tenant, import_id, parsed, carried.counts)
            await keep_look(work, tenant, import_id, parsed, rows=False)
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
    except Rehearsed:
        async with database.batch(tenant) as work:
            imports = Imports(work)
            await imports.describe(tenant, import_id, parsed, carried.counts)
            await keep_look(work, tenant, import_id, parsed, rows=True)
            for plan in carried.rejecting:
                await imports.write_rejects(tenant, import_id, plan)
            await imports.finish(tenant, import_id, ImportState.COMPLETED)


class _Planned(NamedTuple):
    """A part that is planned and waits to be written. `filing` has the keys under which accounts are filed from now on."""

    part: Part
    plan: MergePlan
    stored: Written
    filing: list[tuple[UUID, list[int]]]
    fresh: tuple[LeadRow, ...]
    arriving: Arriving


class _Carried:
    """An import on its way: what became of the rows so far."""

    def __init__(self, database: Database, asks: Asks | None, request: ImportRequest, now: datetime) -> None:
        self._database = database
        self._asks = asks
        self._request = request
        self._tenant = request.principal.tenant_id
        self._now = now
        self._counts: Counter[str] = Counter()
        self._index = KeyIndex()
        self._remembered = Remembered()
        self._writing = asyncio.Lock()
        self.changed_contacts: list[UUID] = []
        self.rejecting: list[MergePlan] = []

    @property
    def counts(self) -> ImportCounts:
        return ImportCounts(**self._counts)

    async def write(self, work: BatchWork, reading: Reading, total: int) -> None:
        """Chunk after chunk: PostgreSQL writes one while the next is matched against what the file itself and the tenant have."""
        done = 0
        changed: dict[UUID, None] = {}
        keys = MatchKeys(work)
        await keys.file_unfiled(self._tenant)
        if total > FIRST_CHUNK:
            self._index = await keys.index(self._tenant)
        writing: asyncio.Task[None] | None = None
        try:
            async for part in reading.parts():
                await report(self._database, self._tenant, self._request.import_id, done / max(1, total))
                if total <= FIRST_CHUNK:
                    wanted = [key for its in part.filed.values() for key in its.all_keys]
                    self._index = await keys.index(self._tenant, wanted)
                planned = await self._plan(work, part)
                self._counts.update(asdict(planned.plan.counts))
                changed.update(dict.fromkeys(planned.stored.changed_contacts))
                if self._request.dry_run and planned.plan.rejected:
                    self.rejecting.append(
                        replace(planned.plan, decisions=(), accounts=(), contacts=(), leads=(), reviews=())
                    )
                if writing is not None:
                    await writing
                writing = asyncio.create_task(self._write(work, planned))
                done += part.lines
            if writing is not None:
                await writing
        finally:
            if writing is not None and not writing.done():
                writing.cancel()
                await asyncio.wait([writing])
        self.changed_contacts = list(changed)

    async def _plan(self, work: BatchWork, part: Part) -> _Planned:
        # What other imports brought is committed: it is read beside the transaction, which has its hands full.
        async with self._database.batch(self._tenant) as beside:
            fresh = part.rows.leads
            fingerprints = [row.fingerprint for row in fresh]
            seen = await Imports(beside).seen(self._tenant, self._request.import_id, fingerprints)
            if seen:
                fresh = tuple(row for row in fresh if row.fingerprint not in seen)
            found = await asyncio.to_thread(self._candidates, [part.filed[row.row_number] for row in fresh])
            ours, others = self._remembered.missing(found)
            if others:
                self._remembered.read(others, await MatchKeys(beside).records(self._tenant, others))
        if ours:
            async with self._writing:
                self._remembered.read(ours, await MatchKeys(work).records(self._tenant, ours))
        return await asyncio.to_thread(self._planned, part, fresh, seen, found)

    def _candidates(self, rows: list[Filed]) -> list[UUID]:
        return self._index.candidates([Keys((*its.keys.telling, *its.person), its.keys.words) for its in rows])

    def _planned(self, part: Part, fresh: tuple[LeadRow, ...], seen: frozenset[str], found: list[UUID]) -> _Planned:
        plan = plan_import(part.rows, (), seen, part.filed, self._remembered.known(found))
        with uncollected():
            stored = Written.of(plan)
            filing = self._remembered.planned(plan, stored.account_ids, stored.contact_ids, part.filed)
            self._remembered.forget()
            self._index.add(*filed_under(filing))
            arriving = Arriving(plan)
        return _Planned(part, plan, stored, filing, fresh, arriving)

    async def _write(self, work: BatchWork, planned: _Planned) -> None:
        """Companies and people, then leads, outcomes of rows, pairs for review; and what the rows' texts show."""
        arriving = planned.arriving
        said = await arriving.contactability(self._asks, self._tenant) if self._asks else arriving.unasked
        async with self._writing:
            tenant, import_id, imports = self._tenant, self._request.import_id, Imports(work)
            await imports.write_records(tenant, import_id, planned.plan, planned.stored, planned.filing)
            await imports.write_rest(tenant, import_id, planned.plan, planned.stored, said)
            shown = planned.part.found
            found = {row.row_number: shown[row.row_number] for row in planned.fresh if row.row_number in shown}
            tell(work, tenant, f"import:{import_id}", await of_import(work, tenant, import_id, found), self._now)


def _kept(request: ImportRequest, parsed: ParsedFile) -> ImportFact:
    return ImportFact(
        subject=request.import_id, source=request.source, fields=tuple(sorted(parsed.mapping.keys() & of_people())),
        dropped=len(parsed.columns) - len(parsed.mapping),
    )  # fmt: skip


def tell_changed(work: BatchWork, tenant_id: UUID, contact_ids: list[UUID], now: datetime) -> None:
    for start in range(0, len(contact_ids), PAGE):
        work.emit(
            CONTACTS_CHANGED,
            ContactsChanged(
                tenant_id=tenant_id, contact_ids=tuple(contact_ids[start : start + PAGE]), version=1, at=now
            ),
        )
