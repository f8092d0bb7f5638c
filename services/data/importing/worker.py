"""Carries imports out: read, plan, write in one transaction, ask trust who may be contacted, tell decision."""

from __future__ import annotations

import asyncio
import logging
import tempfile
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any
from uuid import UUID

import nats.js.errors

from libs.contracts.business_time import RIYADH
from libs.contracts.data import ImportCompleted, ImportRequest, ImportState
from libs.contracts.errors import DealixError
from libs.contracts.reachable import ReachableRequest
from libs.contracts.subjects import IMPORT_COMPLETED, IMPORT_FILES, REACHABLE
from libs.runtime.plane import Runtime
from services.data.crm.search import SearchText
from services.data.importing.apart import apart
from services.data.importing.assessed import Assessed
from services.data.importing.carry import PAGE, carry_out
from services.data.importing.domain.messages import FileRefused
from services.data.importing.look import UNNAMED, keep_columns, look_anyway
from services.data.importing.reading import Here, Order
from services.data.importing.shredding import shred
from services.data.importing.store import LEASE_SECONDS, Imports
from services.data.importing.telling import FEW, tell_leads
from services.data.importing.turn import Cancelled, TenantBusy
from services.data.importing.uploads import fetch, size_of
from services.data.restoring.carry import take_back
from services.data.restoring.domain.archive import open_export

log = logging.getLogger(__name__)

MAX_TRIES = 5
BUSY_SECONDS = 1.0
RETRY_SECONDS = 3.0
ASKED_AT_ONCE = 3
"""Pages of contacts that trust is asked about at once: while it reads one, data answers it about another and writes a third."""
RANKED_FIRST = 10.0
"""Seconds for which the text to search in, and trust's own look at the people, wait after a long import: its leads are ranked meanwhile."""
SILENT_SECONDS = 30.0
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
                if tries >= MAX_TRIES and not await self._ended(tenant_id, import_id):
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
        if status.state is ImportState.COMPLETED:
            await self._confirm(tenant_id, import_id)
            return
        await self._step(tenant_id, import_id, ImportState.READING, 0.05)
        with tempfile.TemporaryDirectory(prefix="dealix-import-") as directory:
            await self._write(request, status.trace_id, Path(directory) / "file")
        if request.dry_run:
            return  # the file stays for the import that may follow; unused, it goes with the bucket's time limit
        await self._assess(tenant_id, import_id)
        await self._forget(request)

    async def _write(self, request: ImportRequest, trace_id: str, file: Path) -> None:
        runtime, tenant = self._runtime, request.principal.tenant_id
        async with runtime.database.batch(tenant) as work:
            remembered = await Imports(work).remembered_mapping(tenant, request.source)
        now = runtime.now()
        order = Order(request.mapping or {}, remembered, request.source, now.astimezone(RIYADH).date())
        async with AsyncExitStack() as stack:
            stream = runtime.bus.client.jetstream(timeout=10)
            large = await size_of(stream, IMPORT_FILES, request.object_name) > APART_FROM
            child = await stack.enter_async_context(apart(runtime.settings, tenant, request.import_id, file)) if large else None  # fmt: skip
            await fetch(stream, IMPORT_FILES, request.object_name, file)
            # What a person says of the columns counts before what the file shows to be.
            export = None if request.mapping else await asyncio.to_thread(open_export, file)
            if export is not None:
                await stack.aclose()  # an export takes no child
                await take_back(runtime.database, request, export, now=now, trace_id=trace_id)
            elif child is not None:
                await self._wait(request.import_id, child.carry_out(order))
            else:
                reading = Here(await asyncio.to_thread(file.read_bytes), order)
                await carry_out(runtime.database, runtime.bus, request, reading, now=now, trace_id=trace_id)

    async def _wait(self, import_id: UUID, child: Coroutine[Any, Any, None]) -> None:
        """The plane's processor time stays its own; the lease is kept while the child works."""
        working = asyncio.create_task(child)
        try:
            while not working.done():
                await asyncio.wait([working], timeout=LEASE_SECONDS / 4)
                async with self._runtime.database.batch() as work:
                    await Imports(work).keep(import_id)
        finally:
            working.cancel()
        await working

    async def _forget(self, request: ImportRequest) -> None:
        """The uploaded file holds personal data; what was needed of it is in tables now."""
        try:
            await shred(self._runtime.bus.client.jetstream(timeout=10), IMPORT_FILES, request.object_name)
        except nats.js.errors.Error as error:
            log.warning("an uploaded file stays until its time is over: %s", type(error).__name__)

    async def _assess(self, tenant_id: UUID, import_id: UUID) -> None:
        """Ask trust about the contacts of whom it has not said anything, or something of what was known before. While trust is silent they
        stay `unknown`, and the import waits."""
        async with self._runtime.database.batch(tenant_id) as work:
            ids, brought = await Assessed(work).to_assess(tenant_id, import_id)
        asked = asyncio.Semaphore(ASKED_AT_ONCE)
        done = 0

        async def assess(page: tuple[UUID, ...]) -> None:
            nonlocal done
            async with asked:
                await self._assess_page(tenant_id, page, anew=True)
                done += len(page)
                await self._step(tenant_id, import_id, ImportState.ASSESSING, 0.7 + 0.3 * done / len(ids))

        async with asyncio.TaskGroup() as group:
            for page in _pages(ids):
                group.create_task(assess(page))
        few = brought <= FEW
        async with self._runtime.database.batch(tenant_id) as work:
            imports = Imports(work)
            status = await imports.status(tenant_id, import_id)
            blocked_by = await imports.blocked_by(tenant_id, import_id)
            await imports.finish(tenant_id, import_id, ImportState.COMPLETED)
            if few:
                everybody = await Assessed(work).brought(tenant_id, import_id)
                tell_leads(work, tenant_id, self._runtime.now(), contacts=everybody)
            else:
                await Assessed(work).confirm_later(tenant_id, import_id, RANKED_FIRST)
                await SearchText(work, tenant_id).put_off(RANKED_FIRST)
            if status is not None:
                work.emit(
                    IMPORT_COMPLETED,
                    ImportCompleted(
                        import_id=import_id,
                        tenant_id=tenant_id,
                        counts=status.counts,
                        blocked_by=blocked_by,
                        few=few,
                        at=self._runtime.now(),
                    ),
                )

    async def _confirm(self, tenant_id: UUID, import_id: UUID) -> None:
        """Have trust look at what a long import has stored: from then on it knows these people, and what they withdrew while they were
        being written counts. Goes on later where trust is silent, or where somebody waits for an import."""
        async with self._runtime.database.batch(tenant_id) as work:
            await Imports(
                work
            ).refresh_statistics()  # the planner has not heard of the list yet; ranking does not depend on it
            ids = await Assessed(work).brought(tenant_id, import_id)
        for page in _pages(ids):
            async with self._runtime.database.batch() as work:
                imports = Imports(work)
                if await Assessed(work).somebody_waits():
                    await imports.put_back(import_id, BUSY_SECONDS)
                    return
                await imports.keep(import_id)
            try:
                changed = await self._assess_page(tenant_id, page, anew=False)
            except DealixError as error:
                log.warning("the people of an import are confirmed later: %s", error.code)
                async with self._runtime.database.batch() as work:
                    await Imports(work).put_back(import_id, SILENT_SECONDS)
                return
            async with self._runtime.database.batch(tenant_id) as work:
                tell_leads(work, tenant_id, self._runtime.now(), contacts=changed)
        async with self._runtime.database.batch() as work:
            await Imports(work).off_the_queue(import_id)

    async def _assess_page(self, tenant_id: UUID, page: tuple[UUID, ...], *, anew: bool) -> list[UUID]:
        """Returns the contacts of whom something else is said than before."""
        request = ReachableRequest(tenant_id=tenant_id, contact_ids=page, anew=anew)
        reply = await self._runtime.bus.call(REACHABLE, request)
        async with self._runtime.database.batch(tenant_id, plans="anew") as work:
            return await Assessed(work).set_contactability(tenant_id, reply.said())

    async def _look(self, tenant_id: UUID, import_id: UUID, refusal: FileRefused) -> None:
        """Of a file that was to be looked at only, show the columns all the same, for a person to say what they hold."""
        async with self._runtime.database.batch(tenant_id) as work:
            request = await Imports(work).request(tenant_id, import_id)
        if request is None or not request.dry_run or refusal.code not in UNNAMED:
            return
        try:
            with tempfile.TemporaryDirectory(prefix="dealix-import-") as directory:
                file = Path(directory) / "file"
                await fetch(self._runtime.bus.client.jetstream(timeout=10), IMPORT_FILES, request.object_name, file)
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

    async def _ended(self, tenant_id: UUID, import_id: UUID) -> bool:
        """Whether the import itself has ended, so that only what follows it keeps failing; that is given up."""
        async with self._runtime.database.batch(tenant_id) as work:
            imports = Imports(work)
            status = await imports.status(tenant_id, import_id)
            if status is None or status.finished_at is None:
                return False
            await imports.off_the_queue(import_id)
            return True


def _pages(ids: Sequence[UUID]) -> list[tuple[UUID, ...]]:
    return [tuple(ids[start : start + PAGE]) for start in range(0, len(ids), PAGE)]
