"""Claims and contradictions as people use them: record, read, acknowledge, decide."""

from __future__ import annotations

from typing import Any

from libs.contracts.claims import (
    WAITING,
    Acknowledge,
    ClaimsRecorded,
    ClaimStanding,
    Contradiction,
    ContradictionDecided,
    ContradictionGet,
    ContradictionsReply,
    ContradictionsRequest,
    ContradictionState,
    RecordClaims,
    Resolve,
)
from libs.contracts.errors import DealixError, Forbidden, NotFound
from libs.contracts.message import Principal, PrincipalKind
from libs.contracts.paging import before, page_of
from libs.contracts.subjects import CONTRADICTION_DECIDED
from services.trust.contradictions.domain.conflict import read
from services.trust.contradictions.errors import (
    AlreadyDecided,
    BadClaim,
    NotOneOfTheTwo,
    OnlyPeopleDecide,
    OwnClaim,
)
from services.trust.contradictions.watching import write
from services.trust.ledger.domain.entry import Entry
from services.trust.store import Store, Unit

RECORDERS = frozenset({"owner", "admin", "approver", "operator", "member", "compliance_officer", "api_client"})
READERS = frozenset({"owner", "admin", "approver", "operator", "auditor", "compliance_officer", "api_client"})
DECIDERS = frozenset({"owner", "approver", "compliance_officer"})
OURS = ("action:", "consent:", "record:")
"""Sources that only trust itself reads claims from."""


class Contradicting:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def record(self, request: RecordClaims) -> ClaimsRecorded:
        """Put claims on record, all or none, and open what they contradict.

        Raises BadClaim; a refusal is on record and changes nothing.
        """
        who = request.principal
        if who.kind is not PrincipalKind.AGENT:
            _require(who, RECORDERS)
        try:
            async with self._store.unit(who.tenant_id) as unit:
                return await self._record(unit, request)
        except BadClaim as refused:
            async with self._store.unit(who.tenant_id) as unit:
                subjects = sorted({one.subject for one in request.claims})
                await _note(unit, who, "claim.refused", subjects[0], code=refused.code, claims=len(request.claims))
            raise

    async def _record(self, unit: Unit, request: RecordClaims) -> ClaimsRecorded:
        who, now = request.principal, await unit.now()
        for one in request.claims:
            if one.source.startswith(OURS):
                raise BadClaim(
                    f"A source does not begin with {', '.join(OURS)}.", f"لا يبدأ المصدر بأيٍّ من: {'، '.join(OURS)}."
                )
        claims = [read(one, who.tenant_id, who.id, now) for one in request.claims]
        known = await unit.contradictions.standings([(who.tenant_id, one.claim_id) for one in claims])
        opened = await write(unit, claims, found_by="write")
        for one in claims:
            if one.claim_id not in known:
                await _note(unit, who, "claim.recorded", one.subject, claim_id=str(one.claim_id), key=one.key)
        return ClaimsRecorded(claims=tuple(claims), contradictions=tuple(opened))

    async def page(self, request: ContradictionsRequest) -> ContradictionsReply:
        """Contradictions, the newest first."""
        _require(request.principal, READERS)
        tenant, limit = request.principal.tenant_id, request.page.limit
        state = request.state.value if request.state else None
        async with self._store.unit(tenant) as unit:
            found = await unit.contradictions.page(tenant, state, request.subject, before(request.page), limit + 1)
        items, more = page_of(found, limit, lambda one: one.contradiction_id)
        return ContradictionsReply(items=items, next_cursor=more)

    async def get(self, request: ContradictionGet) -> Contradiction:
        _require(request.principal, READERS)
        async with self._store.unit(request.principal.tenant_id) as unit:
            return await _one(unit, request)

    async def acknowledge(self, request: Acknowledge) -> Contradiction:
        """Say that somebody looks into it; what concerns it waits as before. Raises AlreadyDecided."""
        who = request.principal
        _decider(who)
        async with self._store.unit(who.tenant_id) as unit:
            found = await _one(unit, request)
            if found.state not in WAITING:
                raise AlreadyDecided(found.state.value)
            if found.state is ContradictionState.ACKNOWLEDGED:
                return found
            changed: Contradiction = found.evolve(
                state=ContradictionState.ACKNOWLEDGED, acknowledged_by=who.id, acknowledged_at=await unit.now()
            )
            await unit.contradictions.change(changed)
            await _note(
                unit, who, "contradiction.acknowledged", found.subject, contradiction_id=str(found.contradiction_id)
            )
        return changed

    async def resolve(self, request: Resolve) -> Contradiction:
        """Decide: one claim stands and the other is refuted, or both are accepted.

        Raises AlreadyDecided, NotOneOfTheTwo, OwnClaim, OnlyPeopleDecide; a refusal is on record and changes nothing.
        """
        who = request.principal
        try:
            _decider(who)
            async with self._store.unit(who.tenant_id) as unit:
                return await self._resolve(unit, await _one(unit, request), request)
        except NotFound:
            raise
        except DealixError as refused:
            async with self._store.unit(who.tenant_id) as unit:
                target = f"contradiction:{request.contradiction_id}"
                await _note(unit, who, "contradiction.refused", target, code=refused.code)
            raise

    async def _resolve(self, unit: Unit, found: Contradiction, request: Resolve) -> Contradiction:
        who = request.principal
        if found.state not in WAITING:
            raise AlreadyDecided(found.state.value)
        by_id = {claim.claim_id: claim for claim in found.claims}
        standing = by_id.get(request.standing_claim_id) if request.standing_claim_id else None
        if request.standing_claim_id is not None and standing is None:
            raise NotOneOfTheTwo
        if standing is not None and standing.recorded_by == who.id and "owner" not in who.roles:
            raise OwnClaim
        state = ContradictionState.RESOLVED if standing else ContradictionState.ACCEPTED
        now = await unit.now()
        if standing is not None:
            (refuted,) = by_id.keys() - {standing.claim_id}
            await unit.contradictions.stand(who.tenant_id, [standing.claim_id], ClaimStanding.CURRENT)
            await unit.contradictions.stand(who.tenant_id, [refuted], ClaimStanding.REFUTED)
        changed: Contradiction = found.evolve(
            state=state, decided_by=who.id, decided_at=now, reason=request.reason,
            standing_claim_id=standing.claim_id if standing else None,
        )  # fmt: skip
        await unit.contradictions.change(changed)
        await _note(
            unit, who, f"contradiction.{state.value}", found.subject, contradiction_id=str(found.contradiction_id),
            standing=str(request.standing_claim_id or ""),
        )  # fmt: skip
        unit.emit(
            CONTRADICTION_DECIDED,
            ContradictionDecided(
                contradiction_id=found.contradiction_id, tenant_id=who.tenant_id, subject=found.subject, state=state,
                decided_by=who.id, decided_at=now,
            ),
        )  # fmt: skip
        return await _one(unit, request)


async def _one(unit: Unit, request: Any) -> Contradiction:
    found = await unit.contradictions.one(request.principal.tenant_id, request.contradiction_id)
    if found is None:
        raise NotFound
    return found


async def _note(unit: Unit, who: Principal, kind: str, target: str, **data: object) -> None:
    entry = Entry(tenant_id=who.tenant_id, kind=kind, actor=who.id, target=target, at=await unit.now(), data=data)
    await unit.append([entry])


def _require(principal: Principal, roles: frozenset[str]) -> None:
    if not roles & set(principal.roles):
        raise Forbidden


def _decider(principal: Principal) -> None:
    if principal.kind is not PrincipalKind.USER:
        raise OnlyPeopleDecide
    _require(principal, DECIDERS)
