"""What texts state, as people decide on it. Until a person confirms a suggestion it is compared with nothing and raises nothing."""

from __future__ import annotations

from libs.contracts.catalogue.claims import claim_keys
from libs.contracts.claims import (
    Claim,
    ClaimsSuggested,
    ClaimSuggestion,
    DecideSuggestion,
    NewClaim,
    SuggestionDecided,
    SuggestionsReply,
    SuggestionsRequest,
    SuggestionState,
)
from libs.contracts.errors import Conflict, Forbidden, NotFound
from libs.contracts.message import PrincipalKind
from libs.runtime.database import SessionWork
from services.trust.contradictions.domain.conflict import read
from services.trust.contradictions.errors import BadClaim
from services.trust.contradictions.handlers import READERS, RECORDERS
from services.trust.contradictions.watching import standing_alone, write
from services.trust.ledger.domain.entry import Entry
from services.trust.paging import before
from services.trust.store import Store

SYSTEM = "system:trust"
SOURCES = ("document:", "activity:")
"""Where texts are read."""
MOST_BESIDE = 5


class AlreadyDecided(Conflict):
    def __init__(self) -> None:
        super().__init__("suggestion_decided", "This suggestion has been decided.", "سبق البتّ في هذا الاقتراح.")


class OnlyPeopleConfirm(Forbidden):
    def __init__(self) -> None:
        super().__init__(
            "only_people_confirm",
            "Only a person makes a claim out of what a text states.",
            "لا يثبت ما ورد في نص إلا شخص.",
        )


class Suggesting:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def heard(self, work: SessionWork, event: ClaimsSuggested) -> None:
        """Keep what was read, each with whether a claim on record could not hold beside it. On the ledger without its value."""
        if not event.source.startswith(SOURCES):
            return
        tenant = event.tenant_id
        async with self._store.join(work) as unit:
            now = await unit.now()
            subjects = sorted({one.subject for one in event.items})
            current = standing_alone(await unit.contradictions.current([(tenant, subject) for subject in subjects]))
            found = []
            for one in event.items:
                new = NewClaim(
                    claim_id=one.suggestion_id, subject=one.subject, key=one.key, value=one.value, unit=one.unit, source=event.source,
                    confidence=one.confidence,
                )  # fmt: skip
                try:
                    claim = read(new, tenant, SYSTEM, now)
                except BadClaim:
                    # Another version of data may read keys that this one does not know.
                    continue
                found.append(_suggestion(event, claim, one.place, _against(claim, current)))
            if not found:
                return
            fresh = await unit.suggestions.keep(tenant, found)
            await unit.append([
                Entry(
                    tenant_id=tenant, kind="claim.suggested", actor=SYSTEM, target=one.subject, at=event.at, trace_id=event.trace_id,
                    data={"suggestion_id": str(one.suggestion_id), "key": one.key, "source": one.source, "contradicts": one.contradicts},
                )
                for one in fresh
            ])  # fmt: skip

    async def page(self, request: SuggestionsRequest) -> SuggestionsReply:
        """Suggestions, the newest first, each with what is on record of the same."""
        if not READERS & set(request.principal.roles):
            raise Forbidden
        tenant, limit = request.principal.tenant_id, request.page.limit
        state = request.state.value if request.state else None
        async with self._store.unit(tenant) as unit:
            found = await unit.suggestions.page(tenant, state, request.subject, before(request.page), limit + 1)
            more, found = len(found) > limit, found[:limit]
            subjects = sorted({one.subject for one in found})
            current = standing_alone(await unit.contradictions.current([(tenant, subject) for subject in subjects]))
        found = [one.evolve(on_record=_beside(one, current)) for one in found]
        return SuggestionsReply(items=tuple(found), next_cursor=str(found[-1].suggestion_id) if more else None)

    async def decide(self, request: DecideSuggestion) -> SuggestionDecided:
        """Make it a claim of the person who confirms it, which opens what it contradicts; or dismiss it.

        Raises OnlyPeopleConfirm, Forbidden, NotFound, AlreadyDecided.
        """
        who = request.principal
        if who.kind is not PrincipalKind.USER:
            raise OnlyPeopleConfirm
        if not RECORDERS & set(who.roles):
            raise Forbidden
        async with self._store.unit(who.tenant_id) as unit:
            found = await unit.suggestions.one(who.tenant_id, request.suggestion_id)
            if found is None:
                raise NotFound
            if found.state is not SuggestionState.SUGGESTED:
                raise AlreadyDecided
            opened = []
            if request.confirm:
                new = NewClaim(
                    claim_id=found.suggestion_id, subject=found.subject, key=found.key, value=found.value, unit=found.unit,
                    source=found.source, confidence=found.confidence,
                )  # fmt: skip
                opened = await write(unit, [read(new, who.tenant_id, who.id, await unit.now())], found_by="write")
            state = SuggestionState.CONFIRMED if request.confirm else SuggestionState.DISMISSED
            await unit.suggestions.decide(who.tenant_id, found.suggestion_id, state, who.id, request.reason)
            entry = Entry(
                tenant_id=who.tenant_id, kind=f"claim.{state.value}", actor=who.id, target=found.subject, at=await unit.now(),
                data={"suggestion_id": str(found.suggestion_id), "key": found.key, "source": found.source, "reason": request.reason},
            )  # fmt: skip
            await unit.append([entry])
            changed = await unit.suggestions.one(who.tenant_id, found.suggestion_id)
        if changed is None:
            raise NotFound
        return SuggestionDecided(suggestion=changed, contradictions=tuple(opened))


def _against(claim: Claim, current: list[Claim]) -> bool:
    key = claim_keys()[claim.key]
    return any(
        other.subject == claim.subject and other.key == claim.key and not key.agree((claim.value, claim.unit), (other.value, other.unit))
        for other in current
    )  # fmt: skip


def _beside(one: ClaimSuggestion, current: list[Claim]) -> tuple[Claim, ...]:
    """What is on record of the same subject and key, without the claim that it became itself."""
    same = (c for c in current if (c.subject, c.key) == (one.subject, one.key) and c.claim_id != one.suggestion_id)
    return tuple(sorted(same, key=lambda c: c.recorded_at, reverse=True)[:MOST_BESIDE])


def _suggestion(event: ClaimsSuggested, claim: Claim, place: str, contradicts: bool) -> ClaimSuggestion:
    return ClaimSuggestion(
        suggestion_id=claim.claim_id, subject=claim.subject, key=claim.key, value=claim.value, unit=claim.unit, place=place,
        confidence=claim.confidence, source=event.source, state=SuggestionState.SUGGESTED, contradicts=contradicts, suggested_at=event.at,
    )  # fmt: skip
