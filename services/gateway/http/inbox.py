"""What waits for the signed-in person: messages that want an answer, approvals, tasks due, tickets near their clock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query

from libs.contracts import inbox
from libs.contracts.message import Page, Principal
from libs.contracts.subjects import INBOX
from services.gateway.domain.people import Caller
from services.gateway.http.bodies import Items, PagingDep, items
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import CallerDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["inbox"], responses=RESPONSES)

Reader = Annotated[Principal, require("read", reading=True)]


class InboxPage(Items[inbox.InboxItem]):
    """`counts` is how many wait, by kind. Of a kind in `capped` more wait than the list holds; a kind in `missing` could not be read."""

    counts: Mapping[str, int]
    capped: tuple[inbox.InboxKind, ...] = ()
    missing: tuple[inbox.InboxKind, ...] = ()


async def waiting(
    gateway: Gateway, caller: Caller, kinds: tuple[inbox.InboxKind, ...], scope: inbox.Scope, page: Page
) -> inbox.InboxReply:
    """The inbox of whoever is signed in, who may be assigned by address as well as by name."""
    known = (caller.user.email,) if caller.key is None else ()
    asked = inbox.InboxRequest(principal=caller.principal, kinds=kinds, scope=scope, known_as=known, page=page)
    return await gateway.bus.call(INBOX, asked)


@router.get("/inbox")
async def read(
    who: Reader,
    caller: CallerDep,
    gateway: GatewayDep,
    paging: PagingDep,
    kind: Annotated[list[inbox.InboxKind] | None, Query(max_length=4)] = None,
    scope: Annotated[inbox.Scope, Query(description="`team` for everybody's, as a role that may see it")] = "mine",
) -> InboxPage:
    """One list, the soonest due first: what is assigned to you, and what nobody has taken where it concerns your role."""
    reply = await waiting(gateway, caller, tuple(kind or ()), scope, paging.page(gateway, who))
    page = items(gateway, who, reply.items, reply.next_cursor)
    return InboxPage(
        items=page.items, next_cursor=page.next_cursor, counts=reply.counts, capped=reply.capped, missing=reply.missing
    )
