"""The inbox of whoever asks: conversations, tasks and tickets of data, votes of trust."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import UUID

from libs.contracts.business_time import STANDARD, Opening
from libs.contracts.catalogue.inbox import inbox
from libs.contracts.errors import DealixError, Forbidden
from libs.contracts.inbox import (
    InboxItem,
    InboxKind,
    InboxRecordsRequest,
    InboxReply,
    InboxRequest,
    InboxRow,
    VotesRequest,
)
from libs.contracts.message import Principal, PrincipalKind
from libs.contracts.subjects import INBOX_RECORDS, TENANT_HOURS, VOTES_WAITING
from libs.contracts.tenant_hours import HoursRequest
from libs.runtime.plane import Runtime
from services.decision.inbox.domain.listing import of_rows, of_votes, page

log = logging.getLogger(__name__)

WHOLE_TENANT = frozenset({"owner", "admin", "approver", "operator", "auditor", "compliance_officer", "api_client"})
"""System roles that may look at everybody's rows; a member sees the own and those that nobody has taken."""
RECORDS = frozenset({InboxKind.MESSAGE, InboxKind.TASK, InboxKind.TICKET})


class OthersInbox(Forbidden):
    """Somebody who may see the own rows alone asked for the team's."""

    def __init__(self) -> None:
        super().__init__(
            "others_inbox", "You see what is yours and what nobody has taken.", "يظهر لك ما كُلِّفت به وما لم يتولَّه أحد."
        )


class InboxDesk:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._bus = runtime.bus

    async def read(self, request: InboxRequest) -> InboxReply:
        """A page of what waits. A plane that does not answer is named, and the rest is shown. Raises OthersInbox, NotFound."""
        who, kinds = request.principal, set(request.kinds) or set(InboxKind)
        whole = bool(WHOLE_TENANT & set(who.roles))
        if request.scope == "team" and not whole:
            raise OthersInbox
        everything = request.scope == "team" or who.kind is PrincipalKind.API_KEY
        items: list[InboxItem] = []
        counts: dict[str, int] = {}
        capped: set[InboxKind] = set()
        missing: set[InboxKind] = set()
        for part, read in ((kinds & RECORDS, self._records), (kinds & {InboxKind.APPROVAL}, self._votes)):
            if not part:
                continue
            try:
                found, more = await read(request, part, everything)
            except DealixError as error:
                if error.status < 500 and error.status != 429:
                    raise
                log.warning("an inbox is shown in part: %s", error.code)
                missing |= part
                continue
            items += found
            counts |= {kind.value: sum(one.kind is kind for one in found) for kind in part}
            counts |= {kind.value: total for kind, total in more.items()}
            capped |= set(more)
        shown, cursor = page(items, request.page.cursor, request.page.limit)
        return InboxReply(
            items=shown, counts=counts, capped=tuple(sorted(capped)), missing=tuple(sorted(missing)), next_cursor=cursor
        )

    async def _records(
        self, request: InboxRequest, kinds: set[InboxKind], everything: bool
    ) -> tuple[list[InboxItem], dict[InboxKind, int]]:
        rules, who, now = inbox(), request.principal, self._runtime.now()
        near = timedelta(hours=rules.kinds[InboxKind.TASK].near_hours or 0)
        reply = await self._bus.call(
            INBOX_RECORDS,
            InboxRecordsRequest(
                principal=who, known_as=_names(who, request.known_as), everything=everything,
                unassigned=tuple(sorted(rules.unassigned(who))), kinds=tuple(sorted(kinds)), within_days=rules.within_days,
                tasks_until=now + near, most=rules.most,
            ),
        )  # fmt: skip
        items = of_rows(reply.rows, rules, now, await self._hours(who.tenant_id))
        return items, _beyond(reply.rows, reply.totals)

    async def _votes(
        self, request: InboxRequest, kinds: set[InboxKind], everything: bool
    ) -> tuple[list[InboxItem], dict[InboxKind, int]]:
        del kinds  # the one kind that trust keeps
        asked = VotesRequest(principal=request.principal, everything=everything, most=inbox().most)
        reply = await self._bus.call(VOTES_WAITING, asked)
        items = of_votes(reply.items, self._runtime.now())
        return items, {InboxKind.APPROVAL: reply.total} if reply.total > len(reply.items) else {}

    async def _hours(self, tenant_id: UUID) -> Opening:
        """The tenant's hours of work; the standard ones while trust is silent."""
        try:
            return await self._bus.call(TENANT_HOURS, HoursRequest(tenant_id=tenant_id))
        except DealixError as error:
            log.warning("the standard hours of work count: %s", error.code)
            return STANDARD


def _names(who: Principal, more: tuple[str, ...]) -> tuple[str, ...]:
    """What a record may call a person who is assigned to it: the id, the name, the address, the business role."""
    found = (who.id, who.id.partition(":")[2], who.name, who.business_role or "", *more)
    return tuple(dict.fromkeys(name.strip().casefold() for name in found if name.strip()))


def _beyond(rows: tuple[InboxRow, ...], totals: dict[str, int]) -> dict[InboxKind, int]:
    """Kinds of which there are more than were read, with how many there are."""
    read = {kind: sum(row.kind is kind for row in rows) for kind in InboxKind}
    return {kind: totals[kind.value] for kind in InboxKind if totals.get(kind.value, 0) > read[kind]}
