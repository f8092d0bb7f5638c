"""Agents and skills as those who govern them use them: what stands, suspend, let act again."""

from __future__ import annotations

from libs.contracts.catalogue.agents import agents
from libs.contracts.catalogue.skills import skills
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.governance import Kind, SetStanding, Standing, StandingsReply, StandingsRequest
from libs.contracts.message import Principal, PrincipalKind
from services.trust.ledger.domain.entry import Entry
from services.trust.store import Store

READERS = frozenset({"owner", "admin", "approver", "operator", "member", "auditor", "compliance_officer", "api_client"})
STOPPERS = frozenset({"owner", "admin", "operator", "compliance_officer"})
RESUMERS = frozenset({"owner", "admin", "operator"})
"""A compliance officer may stop, and not undo it (catalogue, roles: `control`)."""


class Governance:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def all(self, request: StandingsRequest) -> StandingsReply:
        """Every change that was made; what is not named is active."""
        _require(request.principal, READERS)
        async with self._store.unit(request.principal.tenant_id) as unit:
            return StandingsReply(items=tuple(await unit.standings.all(request.principal.tenant_id)))

    async def put(self, request: SetStanding) -> Standing:
        """Suspend, or let act again. Raises Forbidden, and NotFound for what the catalogue does not have."""
        who = request.principal
        if who.kind is PrincipalKind.AGENT:
            raise Forbidden
        _require(who, STOPPERS if request.suspended else RESUMERS)
        if request.id not in (agents().agents if request.kind is Kind.AGENT else skills().skills):
            raise NotFound
        async with self._store.unit(who.tenant_id) as unit:
            made = await unit.standings.put(
                who.tenant_id, request.kind, request.id, suspended=request.suspended, reason=request.reason, who=who.id
            )
            kind = f"{request.kind.value}.{'suspended' if request.suspended else 'resumed'}"
            target = f"{request.kind.value}:{request.id}"
            await unit.append([
                Entry(tenant_id=who.tenant_id, kind=kind, actor=who.id, target=target, at=await unit.now(), data={"reason": request.reason})
            ])  # fmt: skip
        return made


def _require(principal: Principal, roles: frozenset[str]) -> None:
    if not roles & set(principal.roles):
        raise Forbidden
