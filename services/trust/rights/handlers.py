"""People's rights as those who keep them use them: record, check the identity, extend, answer, erase; and what planes report."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import Plane, Principal
from libs.contracts.paging import before, page_of
from libs.contracts.rights import (
    CloseRights,
    EraseRights,
    ErasureOrdered,
    ErasurePerformed,
    ExtendRights,
    IdentifyRights,
    OpenRights,
    PersonReply,
    PersonRequest,
    RightsGet,
    RightsKind,
    RightsList,
    RightsReply,
    RightsRequest,
    RightsState,
)
from libs.contracts.subjects import ERASURE_ORDERED
from libs.runtime.database import Database, SessionWork
from services.trust.consent.stopping import stop
from services.trust.consent.telling import tell_withdrawn
from services.trust.errors import BadEntry
from services.trust.ledger.domain.entry import Entry
from services.trust.projection import Projection
from services.trust.rights.domain import terms
from services.trust.rights.erasing import erase, held
from services.trust.rights.store import RightsStore
from services.trust.store import SqlUnit

KEEPERS = frozenset({"owner", "compliance_officer", "api_client"})
READERS = frozenset({"owner", "compliance_officer", "auditor", "api_client"})
FIRST, LAST = (Plane.DECISION, Plane.EXECUTION), Plane.DATA
"""Who erases first, while the contact can still be found, and who erases the contact itself."""


class Rights:
    def __init__(self, database: Database, projection: Projection) -> None:
        self._database = database
        self._projection = projection

    async def open(self, request: OpenRights) -> RightsRequest:
        """Record a request. The same id again answers with what is on record.

        Raises BadEntry for a time in the future.
        """
        who, tenant = request.principal, request.principal.tenant_id
        _require(who, KEEPERS)
        await self._projection.refresh(tenant, [request.contact_id])
        mac = self._projection.mac(tenant, request.identifier)
        async with self._database.batch(tenant) as work:
            unit, store = SqlUnit(work), RightsStore(work.connection)
            now = await unit.now()
            received = request.received_at or now
            if received > now:
                raise BadEntry("A request was received in the past.", "تاريخ استلام الطلب لا يكون في المستقبل.")
            made = RightsRequest(
                request_id=request.request_id, tenant_id=tenant, kind=request.kind, state=RightsState.RECEIVED,
                contact_id=request.contact_id, identifier_matches=mac in await unit.consent.macs(tenant, request.contact_id),
                details=request.details, received_at=received, due_at=received + terms.TERM,
            )  # fmt: skip
            if await store.add(made):
                await self._note(unit, store, made, who.id, "received", kind=request.kind.value)
            return await _load(store, tenant, request.request_id)

    async def list(self, request: RightsList) -> RightsReply:
        _require(request.principal, READERS)
        limit = request.page.limit
        async with self._database.batch(request.principal.tenant_id) as work:
            found = await RightsStore(work.connection).page(
                request.principal.tenant_id,
                request.state.value if request.state else None,
                before(request.page),
                limit + 1,
            )
        items, more = page_of(found, limit, lambda one: one.request_id)
        return RightsReply(items=items, next_cursor=more)

    async def get(self, request: RightsGet) -> RightsRequest:
        _require(request.principal, READERS)
        async with self._database.batch(request.principal.tenant_id) as work:
            return await _load(RightsStore(work.connection), request.principal.tenant_id, request.request_id)

    async def identify(self, request: IdentifyRights) -> RightsRequest:
        """The identity was checked. An objection takes effect with it: nothing is sent to this person any more."""
        who, tenant = request.principal, request.principal.tenant_id
        _require(who, KEEPERS)
        async with self._database.batch(tenant) as work:
            unit, store = SqlUnit(work), RightsStore(work.connection)
            found = await _load(store, tenant, request.request_id, lock=True)
            terms.may_identify(found)
            changed: RightsRequest = found.evolve(state=RightsState.IDENTIFIED, identified_by=who.id)
            await store.change(changed)
            await self._note(
                unit,
                store,
                changed,
                who.id,
                "identified",
                f"{request.method}: {request.evidence}",
                method=request.method,
            )
            if found.kind is RightsKind.OBJECTION:
                await self._silence(unit, changed, who.id, "objected")
                done: RightsRequest = changed.evolve(state=RightsState.COMPLETED, closed_at=await unit.now())
                await store.change(done)
                await self._note(unit, store, done, "system:trust", "completed")
            return await _load(store, tenant, request.request_id)

    async def extend(self, request: ExtendRights) -> RightsRequest:
        who, tenant = request.principal, request.principal.tenant_id
        _require(who, KEEPERS)
        async with self._database.batch(tenant) as work:
            unit, store = SqlUnit(work), RightsStore(work.connection)
            found = await _load(store, tenant, request.request_id, lock=True)
            terms.may_extend(found, await unit.now())
            changed: RightsRequest = found.evolve(extended=True, due_at=found.due_at + terms.TERM)
            await store.change(changed)
            await store.clock(changed)
            await self._note(
                unit, store, changed, who.id, "extended", request.reason, due_at=changed.due_at.isoformat()
            )
            return await _load(store, tenant, request.request_id)

    async def close(self, request: CloseRights) -> RightsRequest:
        who, tenant = request.principal, request.principal.tenant_id
        _require(who, KEEPERS)
        async with self._database.batch(tenant) as work:
            unit, store = SqlUnit(work), RightsStore(work.connection)
            found = await _load(store, tenant, request.request_id, lock=True)
            terms.may_close(found, refused=request.refused)
            state = RightsState.REFUSED if request.refused else RightsState.COMPLETED
            changed: RightsRequest = found.evolve(state=state, closed_at=await unit.now())
            await store.change(changed)
            await self._note(unit, store, changed, who.id, state.value, request.note)
            return await _load(store, tenant, request.request_id)

    async def erase(self, request: EraseRights) -> RightsRequest:
        """Order the erasure: nothing is sent any more, the identifiers go on the do-not-contact list, and planes begin."""
        who, tenant = request.principal, request.principal.tenant_id
        _require(who, KEEPERS - {"api_client"})
        async with self._database.batch(tenant) as work:
            unit, store = SqlUnit(work), RightsStore(work.connection)
            found = await _load(store, tenant, request.request_id, lock=True)
            terms.may_erase(found, who.id, reauthenticated=request.reauthenticated)
            changed: RightsRequest = found.evolve(state=RightsState.WORKING)
            await store.change(changed)
            await store.add_tasks(tenant, request.request_id, (*FIRST, LAST, Plane.TRUST))
            await self._silence(unit, changed, who.id, "erased")
            alone: dict[str, Any] = {"alone": True} if who.id == found.identified_by else {}
            await self._note(unit, store, changed, who.id, "erasure_ordered", **alone)
            self._order(unit, changed, 1, await unit.now())
            return await _load(store, tenant, request.request_id)

    async def performed(self, work: SessionWork, event: ErasurePerformed) -> None:
        """A plane has erased. When the first ones have, the contact itself goes; when that is gone, trust forgets as well."""
        unit = SqlUnit(await work.batch())
        store, tenant = RightsStore(unit.connection), event.tenant_id
        found = await store.get(tenant, event.request_id, lock=True)
        if found is None or not await store.done(tenant, event.request_id, event.plane, event.counts):
            return
        await self._note(unit, store, found, f"plane:{event.plane.value}", "erased", counts=event.counts)
        found = await _load(store, tenant, event.request_id)
        done = {task.plane for task in found.tasks if task.done_at is not None}
        if event.plane in FIRST and set(FIRST) <= done:
            self._order(unit, found, 2, await unit.now())
        elif event.plane is LAST:
            counts = await erase(unit.connection, tenant, found.contact_id)
            await store.done(tenant, event.request_id, Plane.TRUST, counts)
            closed: RightsRequest = found.evolve(state=RightsState.COMPLETED, closed_at=await unit.now(), details="")
            await store.change(closed)
            await self._note(unit, store, closed, "plane:trust", "completed", counts=counts)

    async def person(self, request: PersonRequest) -> PersonReply:
        """What trust holds, for the answer to a request whose identity was checked. That somebody looked is on record."""
        who, tenant = request.principal, request.principal.tenant_id
        _require(who, KEEPERS)
        async with self._database.batch(tenant) as work:
            unit, store = SqlUnit(work), RightsStore(work.connection)
            found = await _load(store, tenant, request.request_id, lock=True)
            if found.contact_id != request.contact_id:
                raise NotFound
            terms.may_export(found)
            await self._note(unit, store, found, who.id, "exported")
            return PersonReply(sections=await held(work.connection, tenant, request.contact_id))

    async def tick(self, limit: int = 100) -> int:
        """Put on record which duties were not done in time, of all tenants. Returns how many."""
        async with self._database.batch() as work:
            due = await work.connection.fetch(
                "select subject_id, tenant_id, kind from trust.duty_clocks where due_at <= now() order by due_at limit $1",
                limit,
            )
        for row in due:
            async with self._database.batch(row["tenant_id"]) as work:
                gone = await work.connection.fetchrow(
                    "delete from trust.duty_clocks where subject_id = $1 and due_at <= now() returning 1",
                    row["subject_id"],
                )
                if gone is None:
                    continue
                unit = SqlUnit(work)
                if row["kind"] == "rights":
                    await RightsStore(work.connection).step(
                        row["tenant_id"], row["subject_id"], "system:trust", "overdue"
                    )
                target = f"rights:{row['subject_id']}" if row["kind"] == "rights" else f"register:{row['subject_id']}"
                entry = Entry(
                    tenant_id=row["tenant_id"], kind="duty.overdue", actor="system:trust", target=target, at=await unit.now(),
                    data={"duty": row["kind"]},
                )  # fmt: skip
                await unit.append([entry])
        return len(due)

    async def _silence(self, unit: SqlUnit, request: RightsRequest, actor: str, why: str) -> None:
        tenant, contact = request.tenant_id, request.contact_id
        await unit.withdraw(tenant, contact, None)
        await tell_withdrawn(unit, tenant, contact)
        for mac in await unit.consent.macs(tenant, contact):
            if mac is not None:
                await unit.suppress(tenant, mac, why, actor)
                await stop(unit, tenant, await unit.consent.contacts_of(tenant, mac), None, why)
        await stop(unit, tenant, [contact], None, why)

    def _order(self, unit: SqlUnit, request: RightsRequest, phase: int, at: Any) -> None:
        unit.emit(
            ERASURE_ORDERED,
            ErasureOrdered(
                tenant_id=request.tenant_id,
                request_id=request.request_id,
                contact_id=request.contact_id,
                phase=phase,
                at=at,
            ),
        )

    async def _note(
        self,
        unit: SqlUnit,
        store: RightsStore,
        request: RightsRequest,
        actor: str,
        step: str,
        note: str = "",
        **data: Any,
    ) -> None:
        """A step, and its entry of the ledger: ids and words of ours alone, so that it may stay when the person is erased."""
        await store.step(request.tenant_id, request.request_id, actor, step, note)
        entry = Entry(
            tenant_id=request.tenant_id, kind=f"rights.{step}", actor=actor, target=f"rights:{request.request_id}",
            at=await unit.now(), data=data,
        )  # fmt: skip
        await unit.append([entry])


async def _load(store: RightsStore, tenant_id: UUID, request_id: UUID, *, lock: bool = False) -> RightsRequest:
    found = await store.get(tenant_id, request_id, lock=lock)
    if found is None:
        raise NotFound
    return found


def _require(principal: Principal, roles: frozenset[str]) -> None:
    if not roles & set(principal.roles):
        raise Forbidden
