"""Carries imports out: read, plan, write in one transaction, ask trust who may be contacted, tell decision."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from pathlib import Path
from uuid import UUID

import nats.js.errors

from libs.contracts.data import ImportCompleted, ImportRequest, ImportState
from libs.contracts.reachable import ReachableRequest
from libs.contracts.subjects import IMPORT_COMPLETED, IMPORT_FILES, REACHABLE
from libs.runtime.plane import Runtime
from services.data.crm.search import SearchText
from services.data.importing.apart import carry_out_apart
from services.data.importing.carry import PAGE, Cancelled, TenantBusy, carry_out
from services.data.importing.domain.messages import FileRefused
from services.data.importing.look import UNNAMED, keep_columns, look_anyway
from services.data.importing.reading import Here
from services.data.importing.shredding import shred
from services.data.importing.store import LEASE_SECONDS, Imports
from services.data.importing.telling import FEW, tell_leads

log = logging.getLogger(__name__)

MAX_TRIES = 5
BUSY_SECONDS = 1.0
RETRY_SECONDS = 3.0
ASKED_AT_ONCE = 3
"""Pages of contacts that trust is asked about at once: while it reads one, data answers it about another and writes a third."""
RANKED_FIRST = 10.0
"""Seconds for which the text to search in waits after a long import, so that its leads are ranked meanwhile."""
MANY = 5_000
"""From so many contacts on the planner is told at once what the tables hold now. What asks about contacts meanwhile does not depend on it."""
APART_FROM = 1_000_000
"""Files above so many bytes are carried out by a child process; below, starting one takes longer than the work."""


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
                    async with asyncio.timeout(1.0):
                        await self.wake.wait()
                except TimeoutError:
                    continue
                continue
            tenant_id, import_id, tries = claimed
            try:
                await self._carry_out(tenant_id, import_id)
            except TenantBusy:
                async with self._runtime.database.batch() as work:
                    await Imports(work).put_back(import_id, BUSY_SECONDS)
            except Cancelled:
                await self._cancelled(tenant_id, import_id)
            except FileRefused as error:
                await self._look(tenant_id, import_id, error)
                await self._end(tenant_id, import_id, ImportState.REFUSED, (error.code, error.en, error.ar))
            except Exception:  # a mistake of ours: tried again, and in the end told to whoever asked
                log.exception("an import failed", extra={"ids": {"import_id": str(import_id), "tries": tries}})
                if tries >= MAX_TRIES:
                    said = (
                        "import_failed",
                        "The import failed on our side; nothing of it was kept.",
                        "تعذّر الاستيراد من جهتنا، ولم يُحفظ منه شيء.",
                    )
                    await self._end(tenant_id, import_id, ImportState.FAILED, said)
                else:
                    # Nobody has it in hand: it need not wait until its lease is over.
                    async with self._runtime.database.batch() as work:
                        await Imports(work).keep(import_id, RETRY_SECONDS * tries)

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
        await self._step(tenant_id, import_id, ImportState.READING, 0.05)
        with tempfile.TemporaryDirectory(prefix="dealix-import-") as directory:
            await self._write(request, status.trace_id, Path(directory) / "file")
        if request.dry_run:
            return  # the file stays for the import that may follow; unused, it goes with the bucket's time limit
        await self._assess(tenant_id, import_id)
        await self._forget(request)

    async def _write(self, request: ImportRequest, trace_id: str, file: Path) -> None:
        if await self._fetch(request, file) > APART_FROM:
            await self._apart(request, file)
        else:
            content = await asyncio.to_thread(file.read_bytes)
            await carry_out(self._runtime.database, request, Here(content), now=self._runtime.now(), trace_id=trace_id)

    async def _apart(self, request: ImportRequest, file: Path) -> None:
        """The plane's processor time stays its own; the lease is kept while the child works."""
        tenant_id, import_id = request.principal.tenant_id, request.import_id
        child = asyncio.create_task(carry_out_apart(self._runtime.settings, tenant_id, import_id, file))
        try:
            while not child.done():
                await asyncio.wait([child], timeout=LEASE_SECONDS / 4)
                async with self._runtime.database.batch() as work:
                    await Imports(work).keep(import_id)
        finally:
            child.cancel()
        await child

    async def _fetch(self, request: ImportRequest, file: Path) -> int:
        """Put the upload into `file`. Returns its size in bytes."""
        bucket = await self._runtime.bus.client.jetstream(timeout=10).object_store(IMPORT_FILES.name)
        try:
            with await asyncio.to_thread(file.open, "wb") as to:
                await bucket.get(request.object_name, writeinto=to)
                return to.tell()
        except (nats.js.errors.ObjectNotFoundError, nats.js.errors.ObjectDeletedError) as error:
            raise FileRefused("gone") from error

    async def _forget(self, request: ImportRequest) -> None:
        """The uploaded file holds personal data; what was needed of it is in tables now."""
        try:
            await shred(self._runtime.bus.client.jetstream(timeout=10), IMPORT_FILES, request.object_name)
        except nats.js.errors.Error as error:
            log.warning("an uploaded file stays until its time is over: %s", type(error).__name__)

    async def _assess(self, tenant_id: UUID, import_id: UUID) -> None:
        """Ask trust about every contact of the import. While trust is silent the contacts stay `unknown`, and the import waits."""
        async with self._runtime.database.batch(tenant_id) as work:
            # In the order in which they were written: each page asks about neighbours.
            found = await work.connection.fetch(
                "select distinct contact_id from data.import_rows where tenant_id = $1 and import_id = $2 and contact_id is not null "
                "order by contact_id",
                tenant_id,
                import_id,
            )
        ids = [row["contact_id"] for row in found]
        pages = [tuple(ids[start : start + PAGE]) for start in range(0, len(ids), PAGE)]
        asked = asyncio.Semaphore(ASKED_AT_ONCE)
        done = 0

        async def assess(page: tuple[UUID, ...]) -> None:
            nonlocal done
            async with asked:
                await self._assess_page(tenant_id, page)
                done += len(page)
                await self._step(tenant_id, import_id, ImportState.ASSESSING, 0.7 + 0.3 * done / len(ids))

        async with asyncio.TaskGroup() as group:
            for page in pages:
                group.create_task(assess(page))
            if len(ids) >= MANY:
                group.create_task(self._refresh_statistics())
        async with self._runtime.database.batch(tenant_id) as work:
            imports = Imports(work)
            status = await imports.status(tenant_id, import_id)
            blocked_by = await imports.blocked_by(tenant_id, import_id)
            await imports.finish(tenant_id, import_id, ImportState.COMPLETED)
            if len(ids) <= FEW:
                tell_leads(work, tenant_id, self._runtime.now(), contacts=ids)
            else:
                await SearchText(work, tenant_id).put_off(RANKED_FIRST)
            if status is not None:
                work.emit(
                    IMPORT_COMPLETED,
                    ImportCompleted(
                        import_id=import_id,
                        tenant_id=tenant_id,
                        counts=status.counts,
                        blocked_by=blocked_by,
                        few=len(ids) <= FEW,
                        at=self._runtime.now(),
                    ),
                )

    async def _refresh_statistics(self) -> None:
        async with self._runtime.database.batch() as work:
            await Imports(work).refresh_statistics()

    async def _assess_page(self, tenant_id: UUID, page: tuple[UUID, ...]) -> None:
        reply = await self._runtime.bus.call(REACHABLE, ReachableRequest(tenant_id=tenant_id, contact_ids=page))
        said = [
            (contact, {channel: status.value for channel, status in one.channels.items()})
            for one in reply.items
            for contact in one.contact_ids
        ]
        async with self._runtime.database.batch(tenant_id, planned=True) as work:
            await Imports(work).set_contactability(tenant_id, said)

    async def _look(self, tenant_id: UUID, import_id: UUID, refusal: FileRefused) -> None:
        """Of a file that was to be looked at only, show the columns all the same, for a person to say what they hold."""
        async with self._runtime.database.batch(tenant_id) as work:
            request = await Imports(work).request(tenant_id, import_id)
        if request is None or not request.dry_run or refusal.code not in UNNAMED:
            return
        try:
            with tempfile.TemporaryDirectory(prefix="dealix-import-") as directory:
                file = Path(directory) / "file"
                await self._fetch(request, file)
                content = await asyncio.to_thread(file.read_bytes)
            parsed = await asyncio.to_thread(look_anyway, content)
        except FileRefused:
            return  # the first refusal says it
        async with self._runtime.database.batch(tenant_id) as work:
            await keep_columns(work, tenant_id, import_id, parsed)

    async def _cancelled(self, tenant_id: UUID, import_id: UUID) -> None:
        async with self._runtime.database.batch(tenant_id) as work:
            request = await Imports(work).request(tenant_id, import_id)
            await Imports(work).finish(tenant_id, import_id, ImportState.CANCELLED)
        if request is not None:
            await self._forget(request)

    async def _step(self, tenant_id: UUID, import_id: UUID, state: ImportState, progress: float) -> None:
        async with self._runtime.database.batch(tenant_id) as work:
            await Imports(work).step(tenant_id, import_id, state, progress)

    async def _end(self, tenant_id: UUID, import_id: UUID, state: ImportState, error: tuple[str, str, str]) -> None:
        async with self._runtime.database.batch(tenant_id) as work:
            await Imports(work).finish(tenant_id, import_id, state, error)
