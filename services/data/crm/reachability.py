"""Keeps what lists and rankings show of whom one may contact as trust sees it: trust is asked again about whoever has changed, said stop, or
agreed to something. What is shown decides nothing: trust decides an action on what it knows itself."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from libs.contracts.consent import ConsentsChanged, ContactStopped
from libs.contracts.data import ContactsChanged
from libs.contracts.reachable import ReachableRequest
from libs.contracts.subjects import REACHABLE
from libs.runtime.database import SessionWork
from libs.runtime.plane import Runtime
from services.data.crm.consents import keep_consents
from services.data.importing.assessed import Assessed
from services.data.importing.telling import tell_leads


class Reachability:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def changed(self, work: SessionWork, event: ContactsChanged) -> None:
        """Contacts or their leads have changed here. Trust may not have heard of it yet, so that it is to look anew."""
        await self._ask(work, event.tenant_id, event.contact_ids, anew=True)

    async def stopped(self, work: SessionWork, event: ContactStopped) -> None:
        await self._ask(work, event.tenant_id, [event.contact_id])

    async def agreed(self, work: SessionWork, event: ConsentsChanged) -> None:
        """Consents were recorded or withdrawn."""
        await keep_consents(work, event)
        await self._ask(work, event.tenant_id, list(dict.fromkeys(one.contact_id for one in event.consents)))

    async def _ask(self, work: SessionWork, tenant: UUID, contacts: Sequence[UUID], *, anew: bool = False) -> None:
        if not contacts:
            return
        request = ReachableRequest(tenant_id=tenant, contact_ids=tuple(contacts), anew=anew)
        reply = await self._runtime.bus.call(REACHABLE, request)
        batch = await work.batch()
        changed = await Assessed(batch).set_contactability(tenant, reply.said())
        tell_leads(batch, tenant, self._runtime.now(), contacts=changed)
