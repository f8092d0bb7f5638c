"""Carries imports out: read, plan, write in one transaction, ask trust who may be contacted, tell decision."""

from __future__ import annotations

import asyncio
import logging
from datetime import date
from uuid import UUID

import nats.js.errors

from libs.contracts.data import ContactsChanged, ImportCompleted, ImportCounts, ImportRequest, ImportState
from libs.contracts.message import new_id
from libs.contracts.subjects import AUDITED, CONTACTABILITY, CONTACTS_CHANGED, IMPORT_COMPLETED, IMPORT_FILES
from libs.contracts.trust import AuditRecorded, ContactabilityRequest
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.data.importing.domain.detect import read_file
from services.data.importing.domain.messages import FileRefused
from services.data.importing.domain.plan import plan_import
from services.data.importing.domain.records import ParsedFile, ReadRows
from services.data.importing.domain.rows import read_rows
from services.data.importing.store import Imports

log = logging.getLogger(__name__)

PAGE = 1000
MAX_TRIES = 5


class ImportWorker:
    """One import at a time a replica; a lease lets another replica take over from a dead one."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self.wake = asyncio.Event()

    async def run(self) -> None:
        while True:
            self.wake.clear()
            claimed = await self._claim()
            if claimed is None:
                try:
                    await asyncio.wait_for(self.wake.wait(), 1.0)
                except TimeoutError:
                    continue
                continue
            tenant_id, import_id, tries = claimed
            try:
                await self._carry_out(tenant_id, import_id)
            except FileRefused as error:
                await self._end(tenant_id, import_id, ImportState.REFUSED, (error.code, error.en, error.ar))
            except Exception:
                log.exception("an import failed", extra={"ids": {"import_id": str(import_id), "tries": tries}})
                if tries >= MAX_TRIES:
                    said = (
                        "import_failed",
                        "The import failed on our side; nothing of it was kept.",
                        "تعذّر الاستيراد من جهتنا، ولم يُحفظ منه شيء.",
                    )
                    await self._end(tenant_id, import_id, ImportState.FAILED, said)

    async def _claim(self) -> tuple[UUID, UUID, int] | None:
        async with self._runtime.database.batch() as work:
            row = await work.connection.fetchrow(
                "update data.import_queue q set lease_until = now() + interval '120 seconds', tries = q.tries + 1 from (select import_id from "
                "data.import_queue where lease_until is null or lease_until < now() order by created_at limit 1 for update skip locked) d "
                "where q.import_id = d.import_id returning q.tenant_id, q.import_id, q.tries"
            )
        return (row["tenant_id"], row["import_id"], row["tries"]) if row else None

    async def _carry_out(self, tenant_id: UUID, import_id: UUID) -> None:
        async with self._runtime.database.batch(tenant_id) as work:
            request = await Imports(work).request(tenant_id, import_id)
            status = await Imports(work).status(tenant_id, import_id)
        if request is None or status is None:
            await self._end(
                tenant_id, import_id, ImportState.FAILED, ("gone", "The import is gone.", "لم يعد الاستيراد موجودًا.")
            )
            return
        if status.state is ImportState.ASSESSING:
            await self._assess(tenant_id, import_id)
            return
        await self._step(tenant_id, import_id, ImportState.READING, 0.1)
        content = await self._fetch(request)
        parsed, rows = await asyncio.to_thread(_read, content, request, self._runtime.now().date())
        await self._step(tenant_id, import_id, ImportState.MATCHING, 0.4)
        await self._write(tenant_id, request, parsed, rows)
        if request.dry_run:
            return  # the file stays for the import that may follow; unused, it goes with the bucket's time limit
        await self._assess(tenant_id, import_id)
        await self._forget(request)

    async def _fetch(self, request: ImportRequest) -> bytes:
        bucket = await self._runtime.bus.client.jetstream(timeout=10).object_store(IMPORT_FILES.name)
        try:
            found = await bucket.get(request.object_name)
        except (nats.js.errors.ObjectNotFoundError, nats.js.errors.ObjectDeletedError) as error:
            raise FileRefused("gone") from error
        return found.data or b""

    async def _forget(self, request: ImportRequest) -> None:
        """The uploaded file holds personal data; what was needed of it is in tables now."""
        bucket = await self._runtime.bus.client.jetstream(timeout=10).object_store(IMPORT_FILES.name)
        try:
            await bucket.delete(request.object_name)
        except nats.js.errors.Error as error:
            log.warning("an uploaded file stays until its time is over: %s", type(error).__name__)

    async def _write(self, tenant_id: UUID, request: ImportRequest, parsed: ParsedFile, rows: ReadRows) -> None:
        """Match, and write the plan in one transaction: an import is there or it is not."""
        async with self._runtime.database.batch(tenant_id) as work:
            # One import a tenant at a time: two of the same file must not both find nothing to match.
            await work.connection.execute("select pg_advisory_xact_lock(hashtextextended($1::text, 1))", str(tenant_id))
            imports = Imports(work)
            existing = await imports.existing(tenant_id)
            seen = await imports.seen(tenant_id, [row.fingerprint for row in rows.leads])
            plan = await asyncio.to_thread(plan_import, rows, existing, seen)
            counts = ImportCounts(
                rows=plan.counts.rows,
                created=plan.counts.created,
                merged=plan.counts.merged,
                needs_review=plan.counts.needs_review,
                blocked=plan.counts.blocked,
                rejected=plan.counts.rejected,
                unchanged=plan.counts.unchanged,
            )
            await imports.describe(tenant_id, request.import_id, parsed, counts)
            if request.dry_run:
                await imports.write_rejects(tenant_id, request.import_id, plan)
                await imports.finish(tenant_id, request.import_id, ImportState.COMPLETED)
                return
            written = await imports.write(tenant_id, request.import_id, plan)
            await imports.step(tenant_id, request.import_id, ImportState.ASSESSING, 0.7)
            tell_changed(work, self._runtime, tenant_id, list(written.contact_ids))
            work.emit(
                AUDITED[self._runtime.plane],
                AuditRecorded(
                    entry_id=new_id(),
                    tenant_id=tenant_id,
                    kind="import.written",
                    actor=request.principal.id,
                    target=f"import:{request.import_id}",
                    at=self._runtime.now(),
                    data={"source": request.source, **counts.model_dump()},
                    trace_id=telemetry.trace_id(),
                ),
            )

    async def _assess(self, tenant_id: UUID, import_id: UUID) -> None:
        """Ask trust about every contact of the import. While trust is silent the contacts stay `unknown`, and the import waits."""
        async with self._runtime.database.batch(tenant_id) as work:
            found = await work.connection.fetch(
                "select distinct contact_id from data.import_rows where tenant_id = $1 and import_id = $2 and contact_id is not null",
                tenant_id,
                import_id,
            )
        ids = [row["contact_id"] for row in found]
        for start in range(0, len(ids), PAGE):
            page = tuple(ids[start : start + PAGE])
            reply = await self._runtime.bus.call(
                CONTACTABILITY, ContactabilityRequest(tenant_id=tenant_id, contact_ids=page)
            )
            async with self._runtime.database.batch(tenant_id) as work:
                imports = Imports(work)
                await imports.set_contactability(
                    tenant_id,
                    [(item.contact_id, {c.channel: c.status.value for c in item.channels}) for item in reply.items],
                )
                await imports.step(
                    tenant_id, import_id, ImportState.ASSESSING, 0.7 + 0.3 * (start + len(page)) / max(1, len(ids))
                )
        async with self._runtime.database.batch(tenant_id) as work:
            imports = Imports(work)
            status = await imports.status(tenant_id, import_id)
            blocked_by = await imports.blocked_by(tenant_id, import_id)
            await imports.finish(tenant_id, import_id, ImportState.COMPLETED)
            if status is not None:
                work.emit(
                    IMPORT_COMPLETED,
                    ImportCompleted(
                        import_id=import_id,
                        tenant_id=tenant_id,
                        counts=status.counts,
                        blocked_by=blocked_by,
                        at=self._runtime.now(),
                    ),
                )

    async def _step(self, tenant_id: UUID, import_id: UUID, state: ImportState, progress: float) -> None:
        async with self._runtime.database.batch(tenant_id) as work:
            await Imports(work).step(tenant_id, import_id, state, progress)

    async def _end(self, tenant_id: UUID, import_id: UUID, state: ImportState, error: tuple[str, str, str]) -> None:
        async with self._runtime.database.batch(tenant_id) as work:
            await Imports(work).finish(tenant_id, import_id, state, error)


def _read(content: bytes, request: ImportRequest, today: date) -> tuple[ParsedFile, ReadRows]:
    parsed = read_file(content, mapping=request.mapping)
    return parsed, read_rows(parsed, source=request.source, today=today)


def tell_changed(work: BatchWork, runtime: Runtime, tenant_id: UUID, contact_ids: list[UUID]) -> None:
    for start in range(0, len(contact_ids), PAGE):
        work.emit(
            CONTACTS_CHANGED,
            ContactsChanged(
                tenant_id=tenant_id, contact_ids=tuple(contact_ids[start : start + PAGE]), version=1, at=runtime.now()
            ),
        )
