"""What texts state counts for nothing until a person says so, and only a person may."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from libs.contracts.claims import (
    ClaimsSuggested,
    DecideSuggestion,
    NewClaim,
    ReadClaim,
    RecordClaims,
    SuggestionsRequest,
    SuggestionState,
)
from libs.contracts.errors import Forbidden, NotFound
from libs.contracts.message import Plane, new_id
from libs.runtime.testing import FakeClock, MemoryHub
from services.trust.contradictions.handlers import Contradicting
from services.trust.memory import MemoryStore
from services.trust.suggestions.handlers import AlreadyDecided, OnlyPeopleConfirm, Suggesting
from tests.flows.world import AGENT, API_KEY, OTHER_TENANT, REQUESTER, TENANT, person

pytestmark = pytest.mark.asyncio
SUBJECT = "deal:1"


class Desk:
    def __init__(self) -> None:
        hub, self.clock = MemoryHub(), FakeClock()
        self.database = hub.bus(Plane.TRUST).database
        self.store = MemoryStore(self.database, now=self.clock)
        self.suggesting, self.contradicting = Suggesting(self.store), Contradicting(self.store)

    async def heard(self, *claims: tuple[str, str, str], source: str = "activity:1", tenant: UUID = TENANT) -> None:
        items = tuple(
            ReadClaim(suggestion_id=new_id(), subject=SUBJECT, key=key, value=value, unit=unit, confidence=0.8)
            for key, value, unit in claims
        )
        async with self.database.work(tenant) as work:
            event = ClaimsSuggested(tenant_id=tenant, source=source, items=items, at=self.clock())
            await self.suggesting.heard(work, event)

    async def listed(self, tenant: UUID = TENANT) -> list[tuple[str, str, bool, str]]:
        who = person(2, "approver", tenant=tenant)
        found = (await self.suggesting.page(SuggestionsRequest(principal=who))).items
        return sorted((one.key, one.value, one.contradicts, one.state.value) for one in found)

    async def first(self) -> UUID:
        reply = await self.suggesting.page(SuggestionsRequest(principal=person(2, "approver")))
        return reply.items[0].suggestion_id

    async def record(self, key: str, value: str) -> None:
        claim = NewClaim(claim_id=new_id(), subject=SUBJECT, key=key, value=value, source="contract")
        await self.contradicting.record(RecordClaims(principal=REQUESTER, claims=(claim,)))


@asynccontextmanager
async def desk() -> AsyncIterator[Desk]:
    yield Desk()


async def test_a_suggestion_says_whether_it_contradicts_and_raises_nothing() -> None:
    async with desk() as made:
        await made.record("discount_percent", "5")
        await made.heard(("discount_percent", "10", "%"), ("deal_value", "1000", "SAR"))
        assert await made.listed() == [
            ("deal_value", "1000", False, "suggested"),
            ("discount_percent", "10", True, "suggested"),
        ]
        async with made.store.unit(TENANT) as unit:
            current = await unit.contradictions.current([(TENANT, SUBJECT)])
            assert [one.value for one in current] == ["5"]
            assert await unit.contradictions.waiting([(TENANT, SUBJECT)]) == []


async def test_confirmed_it_is_the_persons_claim_and_opens_what_it_contradicts() -> None:
    async with desk() as made:
        await made.record("discount_percent", "5")
        await made.heard(("discount_percent", "10", "%"))
        who = person(3, "operator")
        reply = await made.suggesting.decide(
            DecideSuggestion(principal=who, suggestion_id=await made.first(), confirm=True)
        )
        assert reply.suggestion.state is SuggestionState.CONFIRMED and reply.suggestion.decided_by == who.id
        (opened,) = reply.contradictions
        assert {one.recorded_by for one in opened.claims} == {who.id, REQUESTER.id}
        assert {one.source for one in opened.claims} == {"contract", "activity:1"}
        with pytest.raises(AlreadyDecided):
            await made.suggesting.decide(
                DecideSuggestion(principal=who, suggestion_id=reply.suggestion.suggestion_id, confirm=True)
            )


async def test_dismissed_it_is_no_claim() -> None:
    async with desk() as made:
        await made.heard(("discount_percent", "10", "%"))
        asked = DecideSuggestion(principal=REQUESTER, suggestion_id=await made.first(), confirm=False, reason="a draft")
        assert (await made.suggesting.decide(asked)).contradictions == ()
        async with made.store.unit(TENANT) as unit:
            assert await unit.contradictions.current([(TENANT, SUBJECT)]) == []


async def test_neither_an_agent_nor_a_key_nor_an_auditor_nor_another_tenant_may_confirm() -> None:
    async with desk() as made:
        await made.heard(("discount_percent", "10", "%"))
        id = await made.first()
        for who, refusal in (
            (AGENT, OnlyPeopleConfirm), (API_KEY, OnlyPeopleConfirm), (person(4, "auditor"), Forbidden),
            (person(5, "owner", tenant=OTHER_TENANT), NotFound),
        ):  # fmt: skip
            with pytest.raises(refusal):
                await made.suggesting.decide(DecideSuggestion(principal=who, suggestion_id=id, confirm=True))
        assert await made.listed() == [("discount_percent", "10", False, "suggested")]
        assert await made.listed(OTHER_TENANT) == []


async def test_the_same_statement_is_one_suggestion_and_what_is_no_claim_is_left_out() -> None:
    async with desk() as made:
        await made.heard(("discount_percent", "10", "%"), ("mood", "good", ""), ("deal_value", "many", "SAR"))
        await made.heard(("discount_percent", "10", "%"))
        await made.heard(("discount_percent", "10", "%"), source="action:1")
        assert await made.listed() == [("discount_percent", "10", False, "suggested")]
