"""Takes facts from files of permitted sources: fills what is empty, confirms what is the same, disputes what differs. A file never overwrites
what a person stated."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, time
from typing import Any
from uuid import UUID

import nats.js.errors

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.enrichment import Adapter, enrichment
from libs.contracts.catalogue.records import RecordKind, records
from libs.contracts.claims import NewClaim, RecordClaims
from libs.contracts.crm import Record
from libs.contracts.decision import RankRequest
from libs.contracts.enrichment import (
    DecideFact,
    Enrich,
    Enriched,
    EnrichedFact,
    FactsList,
    FactsListed,
    FactState,
    RowRefused,
)
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.message import Principal, new_id
from libs.contracts.paging import before, page_of
from libs.contracts.subjects import AUDITED, DECIDE_FACT, ENRICH, ENRICHED_FACTS, IMPORT_FILES, RANK, RECORD_CLAIMS
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.data.crm.desk import require_editor
from services.data.crm.domain.values import check, shown
from services.data.crm.store import Store
from services.data.enriching.domain.weigh import weigh
from services.data.enriching.errors import (
    AlreadyDecided,
    FileUnfit,
    NoAdapter,
    NoBasis,
    NoLicence,
    NotFromTheFuture,
    NothingToMatch,
)
from services.data.enriching.store import Facts
from services.data.importing.carry import tell_changed
from services.data.importing.domain.detect import Limits, read_file
from services.data.importing.domain.messages import FileRefused
from services.data.importing.domain.records import ParsedFile
from services.data.importing.shredding import shred
from services.data.screening.domain.texts import of_values
from services.data.screening.telling import of_record, tell

log = logging.getLogger(__name__)

MOST_ROWS = 2000
MOST_BYTES = 10 * 1024**2
LISTED = 200


def serve_enriching(runtime: Runtime) -> None:
    """Answer for facts."""
    desk = Enriching(runtime)
    runtime.bus.serve(ENRICH, desk.enrich)
    runtime.bus.serve(ENRICHED_FACTS, desk.list)
    runtime.bus.serve(DECIDE_FACT, desk.decide)


@dataclass
class _Work:
    """A file under way: its transaction, and what became of it so far."""

    request: Enrich
    adapter: Adapter
    work: BatchWork
    store: Store
    facts: Facts
    now: datetime
    counts: Counter[str] = field(default_factory=Counter)
    refusals: list[RowRefused] = field(default_factory=list)
    claims: list[NewClaim] = field(default_factory=list)
    contacts: set[UUID] = field(default_factory=set)
    found: list[EnrichedFact] = field(default_factory=list)
    matched: int = 0

    def refuse(self, row: int, name: str, en: str, ar: str) -> None:
        self.refusals.append(RowRefused(row=row, field=name, en=en, ar=ar))


class _OnlyLooked(Exception):
    """Ends the transaction of a dry run."""


class Enriching:
    def __init__(self, runtime: Runtime) -> None:
        enrichment()  # a wrong catalogue stops the start
        self._runtime = runtime
        self._database = runtime.database

    async def enrich(self, request: Enrich) -> Enriched:
        """Read a file and keep its facts, all or none. The same file again changes nothing, and neither does a dry run.

        Raises Forbidden, NoAdapter, NoBasis, NoLicence, NotFromTheFuture, FileUnfit, NothingToMatch.
        """
        require_editor(request.principal)
        kept = False
        try:
            adapter = self._permitted(request)
            parsed = await self._parsed(request)
            if not set(adapter.match) & set(parsed.mapping):
                raise NothingToMatch(adapter)
            kept = request.dry_run  # for the time when somebody has looked
        finally:
            if not kept:
                await self._forget(request)
        tenant = request.principal.tenant_id
        state: _Work | None = None
        with suppress(_OnlyLooked):
            async with self._database.batch(tenant) as work:
                state = _Work(request, adapter, work, Store(work, tenant), Facts(work, tenant), self._runtime.now())
                await self._read(state, parsed)
                if request.dry_run:
                    raise _OnlyLooked  # the same work, and then nothing of it is kept
        assert state is not None
        if not request.dry_run:
            await self._after(request.principal, state)
        return Enriched(
            batch_id=request.batch_id, rows=len(parsed.rows) + len(parsed.broken), matched=state.matched, facts=dict(state.counts),
            refused=len(state.refusals), refusals=tuple(state.refusals[:LISTED]),
            found=tuple(state.found[:LISTED]) if request.dry_run else (),
        )  # fmt: skip

    async def _read(self, state: _Work, parsed: ParsedFile) -> None:
        for row in parsed.rows:
            cells = {name: row.cells[at].strip() for name, at in parsed.mapping.items() if at < len(row.cells)}
            await self._row(state, row.row_number, {name: text for name, text in cells.items() if text})
        for broken in parsed.broken:
            state.refuse(broken.row_number, "", "The row cannot be read.", "تعذّرت قراءة الصف.")
        request, tenant = state.request, state.store.tenant_id
        if state.contacts:
            tell_changed(state.work, tenant, sorted(state.contacts), state.now)
        self._audit(state.work, request.principal, "records.enriched", f"batch:{request.batch_id}", {
            "adapter": state.adapter.key, "lawful_basis": request.lawful_basis, "licence": request.licence, "matched": state.matched,
            **state.counts,
        })  # fmt: skip

    def _permitted(self, request: Enrich) -> Adapter:
        adapter = enrichment().adapters.get(request.adapter)
        if adapter is None:
            raise NoAdapter
        if request.lawful_basis not in adapter.bases:
            raise NoBasis(adapter)
        if adapter.licence and not request.licence.strip():
            raise NoLicence(adapter)
        if request.obtained_on > self._runtime.now().astimezone(RIYADH).date():
            raise NotFromTheFuture
        return adapter

    async def _parsed(self, request: Enrich) -> ParsedFile:
        bucket = await self._runtime.bus.client.jetstream(timeout=10).object_store(IMPORT_FILES.name)
        try:
            info = await bucket.get_info(request.object_name)
            if (info.size or 0) > MOST_BYTES:
                raise FileRefused("too_large", size=-(-(info.size or 0) // 1024**2), limit=MOST_BYTES // 1024**2)
            content = (await bucket.get(request.object_name)).data or b""
            parsed = await asyncio.to_thread(read_file, content, limits=Limits(rows=MOST_ROWS, company=False))
        except (nats.js.errors.ObjectNotFoundError, nats.js.errors.ObjectDeletedError) as error:
            raise FileUnfit("file_gone", "The file is gone.", "لم يعد الملف موجودًا.") from error
        except FileRefused as refused:
            raise FileUnfit(refused.code, refused.en, refused.ar) from refused
        return parsed

    async def _forget(self, request: Enrich) -> None:
        """The uploaded file may hold personal data; what was needed of it is in tables or was refused."""
        try:
            await shred(self._runtime.bus.client.jetstream(timeout=10), IMPORT_FILES, request.object_name)
        except nats.js.errors.Error as error:
            log.warning("an uploaded file stays until its time is over: %s", type(error).__name__)

    async def _row(self, state: _Work, number: int, cells: Mapping[str, str]) -> None:
        found = await self._match(state, cells)
        if found is None:
            named = ", ".join(name for name in state.adapter.match if name in cells)
            state.refuse(
                number, named, "It fits no record here, or several.", "لا سجل يطابقه هنا، أو يطابقه أكثر من سجل."
            )
            return
        state.matched += 1
        account, contact = found
        lead = await state.facts.lead_of(contact) if contact else None
        targets = ((RecordKind.ACCOUNT, account), (RecordKind.CONTACT, contact), (RecordKind.LEAD, lead))
        for kind, record_id in targets:
            given = {name: cells[column] for column, name in state.adapter.fills(kind).items() if column in cells}
            if record_id is not None and given:
                await self._record(state, number, kind, record_id, given)
        if contact and state.adapter.told in cells:
            await self._told(state, contact, account, lead, cells[state.adapter.told], number)

    async def _match(self, state: _Work, cells: Mapping[str, str]) -> tuple[UUID | None, UUID | None] | None:
        """The account and the contact that a row is about, by its surest identifier; None for nobody or several."""
        fields = {**records().kinds[RecordKind.CONTACT].fields, **records().kinds[RecordKind.ACCOUNT].fields}
        for by in state.adapter.match:
            values, wrong = check(fields, {by: cells.get(by)}, whole=False)
            if wrong or values.get(by) is None:
                continue
            found = await state.facts.match(by, str(values[by]))
            if len(found) > 1:
                return None
            if found:
                return found[0]["account_id"], found[0]["contact_id"]
        return None

    async def _record(self, state: _Work, number: int, kind: RecordKind, id: UUID, given: Mapping[str, str]) -> None:
        values, wrong = check(records().kinds[kind].fields, given, whole=False)
        for name, en, ar in wrong:
            state.refuse(number, name, en, ar)
        record = await state.store.get(kind, id, lock=True)
        if record is None:
            return
        reference = f"{state.request.file_name}:{number}"
        filled = {}
        for name, value in values.items():
            if value is None or name not in given:
                continue
            if kind is RecordKind.LEAD and record.values.get(name) not in (None, ""):
                continue  # words beside words are no dispute; what was written is kept as an activity
            verdict = weigh(
                name, record.values.get(name), value, source=state.adapter.source, obtained_on=state.request.obtained_on,
                earlier=await state.facts.earlier(id, name),
            )  # fmt: skip
            fact = self._fact(state, record, name, value, verdict, reference)
            if not await state.facts.keep(fact):
                state.counts["known"] += 1
                continue
            state.counts[verdict.value] += 1
            state.found.append(fact)
            if verdict is FactState.APPLIED:
                filled[name] = value
            if verdict is FactState.DISPUTED and name in state.adapter.claims:
                state.claims += _claims(fact, state.adapter.claims[name])
        if filled:
            await self._fill(
                state.store, state.request.principal, record, filled, f"{state.adapter.source} {reference}"
            )
            tell(
                state.work,
                state.store.tenant_id,
                "record",
                of_record(kind.value, id, record.values, of_values(filled)),
                state.now,
            )
            if kind is RecordKind.CONTACT:
                state.contacts.add(id)

    def _fact(
        self, state: _Work, record: Record, name: str, value: Any, verdict: FactState, reference: str
    ) -> EnrichedFact:
        request, current = state.request, record.values.get(name)
        return EnrichedFact(
            fact_id=new_id(), tenant_id=state.store.tenant_id, batch_id=request.batch_id, kind=record.kind.value, record_id=record.id, field=name,
            value=str(shown(value)), current=None if current in (None, "") else str(current), source=state.adapter.source,
            adapter=state.adapter.key, lawful_basis=request.lawful_basis, licence=request.licence.strip(), reference=reference,
            obtained_on=request.obtained_on, confidence=state.adapter.confidence, state=verdict, recorded_at=state.now,
            recorded_by=request.principal.id,
        )  # fmt: skip

    async def _fill(self, store: Store, who: Principal, record: Record, values: Mapping[str, Any], why: str) -> None:
        await store.update(record.kind, record.id, values)
        changed = await store.get(record.kind, record.id)
        assert changed is not None
        before = {name: record.values.get(name) for name in values}
        await store.note(who, self._runtime.now(), "enriched", changed, before=before, after=values, reason=why)

    async def _told(
        self, state: _Work, contact: UUID, account: UUID | None, lead: UUID | None, text: str, number: int
    ) -> None:
        """What the person wrote, as an incoming activity of that day: cards and why-now signals read it there. Once a file and row."""
        day = state.request.obtained_on
        at = datetime.combine(day, time(12), UTC)
        form = enrichment().adapters[state.adapter.key]
        known = await state.work.connection.fetchval(
            "select 1 from data.activities where tenant_id = $1 and contact_id = $2 and at = $3 and body = $4 and direction = 'inbound'",
            state.store.tenant_id, contact, at, text[:20_000],
        )  # fmt: skip
        if known:
            return
        values = {
            "type": "note",
            "direction": "inbound",
            "subject": form.ar,
            "body": text[:20_000],
            "at": at,
            "contact_id": contact,
        }
        values |= {name: value for name, value in (("account_id", account), ("lead_id", lead)) if value is not None}
        activity = new_id()
        await state.store.insert(RecordKind.ACTIVITY, activity, values, {})
        made = await state.store.get(RecordKind.ACTIVITY, activity)
        assert made is not None
        reason = f"{state.adapter.source} {state.request.file_name}:{number}"
        await state.store.note(
            state.request.principal, state.now, "created", made, after={"subject": form.ar}, reason=reason
        )
        tell(
            state.work,
            state.store.tenant_id,
            "record",
            of_record("activity", activity, made.values, of_values({"body": text})),
            state.now,
        )
        state.counts["told"] += 1
        if lead is not None:
            await state.facts.touched(lead, day)

    async def _after(self, who: Principal, state: _Work) -> None:
        """Tell trust what contradicts, and have the leads ranked anew. Neither undoes what is on record when nobody answers."""
        for start in range(0, len(state.claims), 100):
            part = tuple(state.claims[start : start + 100])
            try:
                await self._runtime.bus.call(RECORD_CLAIMS, RecordClaims(principal=who, claims=part))
            except DealixError as error:
                log.warning("disputed facts are no contradictions yet: %s", error.code)
        if state.counts[FactState.APPLIED.value] or state.counts["told"]:
            try:
                await self._runtime.bus.call(RANK, RankRequest(principal=who))
            except DealixError as error:
                log.warning("leads are ranked later: %s", error.code)

    # -- facts on record -----------------------------------------------------------------------------------------------------

    async def list(self, request: FactsList) -> FactsListed:
        """Facts, newest first."""
        tenant, limit = request.principal.tenant_id, request.page.limit
        async with self._database.batch(tenant) as work:
            found = await Facts(work, tenant).page(request.record_id, request.state, before(request.page), limit + 1)
        items, more = page_of(found, limit, lambda one: one.fact_id)
        return FactsListed(items=items, next_cursor=more)

    async def decide(self, request: DecideFact) -> EnrichedFact:
        """Accept a disputed fact, which then takes its place in the record, or refuse it. Raises Forbidden, NotFound, AlreadyDecided."""
        require_editor(request.principal)
        tenant, now = request.principal.tenant_id, self._runtime.now()
        async with self._database.batch(tenant) as work:
            facts, store = Facts(work, tenant), Store(work, tenant)
            fact = await facts.locked(request.fact_id)
            if fact is None:
                raise NotFound
            if fact.state is not FactState.DISPUTED:
                raise AlreadyDecided
            kind = RecordKind(fact.kind)
            record = await store.get(kind, fact.record_id, lock=True)
            if record is None:
                raise NotFound
            if request.accept:
                values, _ = check(records().kinds[kind].fields, {fact.field: fact.value}, whole=False)
                await self._fill(store, request.principal, record, values, f"{fact.source} {fact.reference}")
                if kind is RecordKind.CONTACT:
                    tell_changed(work, tenant, [record.id], now)
            decided: EnrichedFact = fact.evolve(
                state=FactState.ACCEPTED if request.accept else FactState.REFUSED, decided_at=now,
                decided_by=request.principal.id, reason=request.reason,
            )  # fmt: skip
            await facts.decide(fact.fact_id, dict(decided))
            self._audit(work, request.principal, f"fact.{decided.state.value}", f"{fact.kind}:{fact.record_id}", {"field": fact.field, "source": fact.source})  # fmt: skip
        return decided

    def _audit(self, work: BatchWork, who: Principal, kind: str, target: str, data: dict[str, Any]) -> None:
        entry = AuditRecorded(
            entry_id=new_id(), tenant_id=who.tenant_id, kind=kind, actor=who.id, target=target, at=self._runtime.now(), data=data,
            trace_id=telemetry.trace_id(),
        )  # fmt: skip
        work.emit(AUDITED[self._runtime.plane], entry)


def _claims(fact: EnrichedFact, key: str) -> list[NewClaim]:
    """What the record says and what the source says, as claims that cannot both hold."""
    unit = "people" if key == "employees" else ""
    said = ((fact.current or "", "record", 1.0), (fact.value, f"{fact.source} {fact.reference}"[:200], fact.confidence))
    return [
        NewClaim(claim_id=new_id(), subject=f"{fact.kind}:{fact.record_id}", key=key, value=value, unit=unit, source=source, confidence=sure)
        for value, source, sure in said
    ]  # fmt: skip
