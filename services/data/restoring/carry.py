"""Carries an export in: kind by kind, page by page, all in one transaction; it is there or it is not."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from libs.contracts.catalogue.records import RecordField, RecordKind, records
from libs.contracts.catalogue.sources import Handling, sources
from libs.contracts.crm import CustomField
from libs.contracts.data import ImportCounts, ImportRequest, ImportState
from libs.contracts.message import Plane, new_id
from libs.contracts.observed import ImportFact
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime.database import BatchWork, Database
from services.data.crm.arrange import ADMINISTRATORS, Arrangements
from services.data.crm.domain.values import shown
from services.data.crm.tables import references
from services.data.importing.carry import tell_changed
from services.data.importing.domain.mapping import of_people
from services.data.importing.domain.messages import FileRefused, say
from services.data.importing.domain.records import Note, RowRejected, Said
from services.data.importing.store import Imports
from services.data.importing.turn import Rehearsed, report, take_turn
from services.data.matching.named import Found
from services.data.restoring.domain.archive import Export, Line, damage
from services.data.restoring.domain.items import Item, read_item
from services.data.restoring.matching import Before, Had, same_person
from services.data.restoring.store import Restored
from services.data.screening.domain.texts import of_values
from services.data.screening.telling import of_record, tell
from services.data.telling import tell_facts

PAGE = 1000
K = RecordKind


async def take_back(
    database: Database, request: ImportRequest, export: Export, *, now: datetime, trace_id: str
) -> None:
    """Raises FileRefused, Cancelled, TenantBusy."""
    tenant, import_id = request.principal.tenant_id, request.import_id
    rule = sources()[request.source]
    if rule.handling is Handling.REFUSE:
        raise FileRefused("source_refused", source=Said(rule.key, rule.en, rule.ar))
    notice = say("note", "taken_back")
    taking: _Taking | None = None
    try:
        async with database.batch(tenant) as work:
            await take_turn(work, tenant)
            taking = _Taking(database, work, request, now)
            await taking.all_of(export)
            if request.dry_run:
                raise Rehearsed
            await Restored(work, tenant, import_id).describe(export, taking.counts, notice)
            await Imports(work).step(tenant, import_id, ImportState.ASSESSING, 0.7)
            fields = tuple(sorted(of_people() & records().kinds[K.CONTACT].fields.keys()))
            tell_facts(
                work, tenant, [ImportFact(subject=import_id, source=request.source, fields=fields, dropped=0)], now
            )
            tell_changed(work, tenant, taking.contacts, now)
            work.emit(
                AUDITED[Plane.DATA],
                AuditRecorded(
                    entry_id=new_id(), tenant_id=tenant, kind="import.written", actor=request.principal.id, target=f"import:{import_id}", at=now,
                    data={"source": request.source, "export": 1, **taking.counts.model_dump()}, trace_id=trace_id,
                ),
            )  # fmt: skip
    except Rehearsed:
        assert taking is not None
        async with database.batch(tenant) as work:
            told = Restored(work, tenant, import_id)
            await told.describe(export, taking.counts, notice)
            await told.reject(taking.rejected)
            await Imports(work).finish(tenant, import_id, ImportState.COMPLETED)


class _Taking:
    """An export on its way in: where its records have gone so far."""

    def __init__(self, database: Database, work: BatchWork, request: ImportRequest, now: datetime) -> None:
        self._database, self._work, self._request, self._now = database, work, request, now
        self._tenant = request.principal.tenant_id
        self._store = Restored(work, self._tenant, request.import_id)
        self._before = Before(work, self._tenant, request.import_id)
        self._rule = sources()[request.source]
        self._at: dict[UUID, UUID] = {}
        """Where a record of the export is, by the id that it had there."""
        self._new: set[UUID] = set()
        self._counts: Counter[str] = Counter()
        self.contacts: list[UUID] = []
        """Contacts who were there and of whom the export said more."""
        self.rejected: list[RowRejected] = []

    @property
    def counts(self) -> ImportCounts:
        return ImportCounts(**self._counts)

    async def all_of(self, export: Export) -> None:
        await self._store.begin()
        await self._before.look()
        await self._own_fields(export)
        arranged = Arrangements(self._work, self._tenant)
        own: dict[RecordKind, dict[str, RecordField]] = {kind: await arranged.fields(kind) for kind in records().kinds}
        pages = _pages(export)
        while page := await asyncio.to_thread(_next, pages):
            await report(
                self._database, self._tenant, self._request.import_id, self._counts["rows"] / max(1, export.count)
            )
            read = [read_item(line, own[line.kind], self._rule) for line in page]
            await self._rejects([one for one in read if isinstance(one, RowRejected)])
            await self._page(page[0].kind, [one for one in read if isinstance(one, Item)])

    async def _own_fields(self, export: Export) -> None:
        if not ADMINISTRATORS & set(self._request.principal.roles):
            return  # whoever may not add fields leaves their values out, and each row says so
        found: list[CustomField] = []
        for one in export.own_fields():
            try:
                found.append(CustomField.model_validate(one, strict=False))
            except ValidationError as error:
                raise FileRefused("damaged_export") from error
        await self._store.own_fields(found)

    async def _page(self, kind: RecordKind, items: list[Item]) -> None:
        items = [one for item in items if (one := await self._placed(item)) is not None]
        wanted = {item.number: item.own_id(self._tenant) for item in items}
        places = await self._store.places(kind, wanted.values())
        matched = await self._matched(kind, [item for item in items if not places[wanted[item.number]][1]])
        new: dict[UUID, Item] = {}
        known: list[tuple[UUID, Item]] = []
        for item in items:
            at, there = places[wanted[item.number]]
            if item.number in matched:
                at, there = matched[item.number], True
            self._at[wanted[item.number]] = at
            if there or at in new:
                known.append((at, item))
            else:
                new[at] = item
        await self._store.insert(kind, list(new.items()))
        self._new |= new.keys()
        changed = await self._store.fill(kind, known)
        if kind is K.CONTACT:
            self.contacts += list(changed)
        self._screen(kind, [*new.items(), *((id, item) for id, item in known if id in changed)])
        ends = [(item, item.outcome, at) for at, item in new.items()] + [(item, "merged", at) for at, item in known]
        await self._store.note([(item, outcome, *_whose(item, at), at) for item, outcome, at in ends])
        self._counts.update(outcome for _, outcome, _ in ends)
        self._counts.update(rows=len(ends), unchanged=len(known) - len(changed))

    async def _placed(self, item: Item) -> Item | None:
        """The item with its references as they are here; None where what it belongs to is not."""
        fields = records().kinds[item.kind].fields
        values, notes = dict(item.values), list(item.notes)
        for name in references(item.kind):
            wanted = values[name]
            if wanted is None:
                continue
            target = fields[name].to
            assert target is not None
            at = await self._found(target, wanted, item)
            if at is None and fields[name].required:
                said = say("row", "reference_missing", value=name)
                await self._rejects([RowRejected(item.number, name, said.code, said.en, said.ar, item.raw)])
                return None
            if at is None:
                said = say("note", "reference_left_out", value=name)
                notes.append(Note(name, said.code, said.en, said.ar))
            values[name] = at
        return Item(**{**vars(item), "values": values, "notes": tuple(notes)})

    async def _found(self, kind: RecordKind, id: UUID, item: Item) -> UUID | None:
        if id in self._at:
            return self._at[id]
        ((at, there),) = (await self._store.places(kind, [id])).values()
        if not there and kind is K.ACCOUNT and item.account_name and item.kind in (K.CONTACT, K.LEAD):
            # One file of an export alone: the company that it names.
            sure = await self._before.named(item.account_name)
            if sure is None:
                company = _company(item)
                await self._store.insert(K.ACCOUNT, [(at, company)])
                self._new.add(at)
            at, there = sure or at, True
        if there:
            self._at[id] = at
        return at if there else None

    async def _matched(self, kind: RecordKind, items: list[Item]) -> dict[int, UUID]:
        """Records that were there before under other ids, by row."""
        out: dict[int, UUID] = {}
        if kind is K.ACCOUNT:
            for item, found in zip(items, await self._before.accounts(items), strict=True):
                if found.sure is not None:
                    out[item.number] = found.sure
                elif found.likely:
                    await self._wait(item, found)
        elif kind is K.CONTACT:
            had = await self._before.people(list({item.values["account_id"] for item in items} - self._new))
            nobody: Sequence[Had] = ()
            for item in items:
                of = [one for one in had.get(item.values["account_id"], nobody) if one.contact_id not in self._new]
                if (same := same_person(item, of)) is not None:
                    out[item.number] = same
        elif kind is K.LEAD:
            people = {item.values["contact_id"] for item in items if item.values["contact_id"]} - self._new
            leads = await self._store.leads_of(list(people))
            out = {item.number: leads[item.values["contact_id"]] for item in items if item.values["contact_id"] in leads}  # fmt: skip
        return out

    async def _wait(self, item: Item, found: Found) -> None:
        ((place, _),) = (await self._store.places(K.ACCOUNT, [item.own_id(self._tenant)])).values()
        await self._before.ask(place, found.likely, item.number)

    async def _rejects(self, rejected: list[RowRejected]) -> None:
        self.rejected += rejected
        self._counts.update(rows=len(rejected), rejected=len(rejected))
        await self._store.reject(rejected)

    def _screen(self, kind: RecordKind, written: Sequence[tuple[UUID, Item]]) -> None:
        """Tell trust what the texts show, as with a record that somebody types."""
        for id, item in written:
            values = {name: shown(value) for name, value in item.values.items()}
            found = of_values({**values, **item.custom}, ours=kind is K.TASK)
            tell(self._work, self._tenant, "record", of_record(kind.value, id, values, found), self._now)


def _pages(export: Export) -> Iterator[list[Line]]:
    """Pages of one kind each."""
    lines = export.lines()
    page: list[Line] = []
    for line in lines:
        if page and (line.kind is not page[0].kind or len(page) == PAGE):
            yield page
            page = []
        page.append(line)
    if page:
        yield page


def _next(pages: Iterator[list[Line]]) -> list[Line] | None:
    with damage():
        return next(islice(pages, 1), None)


def _whose(item: Item, at: UUID) -> tuple[UUID | None, UUID | None]:
    """The company and the person of a row, as an import's rows name them."""
    if item.kind is K.ACCOUNT:
        return at, None
    if item.kind is K.CONTACT:
        return item.values["account_id"], at
    if item.kind is K.LEAD:
        return item.values["account_id"], item.values["contact_id"]
    return None, None


def _company(item: Item) -> Item:
    values: dict[str, Any] = dict.fromkeys(records().kinds[K.ACCOUNT].fields)
    return Item(
        item.number, K.ACCOUNT, (), None, 1, None, None, {**values, "name": item.account_name}, {}, {"aliases": []}, None
    )  # fmt: skip
