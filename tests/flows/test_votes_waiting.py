"""What waits for a person's vote: only what that person may decide, and no longer once the vote is given."""

from __future__ import annotations

from decimal import Decimal
from uuid import UUID

import pytest

from libs.contracts.inbox import VotesReply, VotesRequest
from libs.contracts.message import Plane, Principal
from libs.contracts.subjects import VOTES_WAITING
from tests.flows.approving import CEO, MANAGER, OWNER, asked_for, set_rules, update, yes
from tests.flows.world import AGENT, API_KEY, APPROVER, OTHER_TENANT, REQUESTER, World, charge, person

pytestmark = pytest.mark.asyncio


async def waiting(world: World, who: Principal, *, everything: bool = False) -> VotesReply:
    decision = world.hub.bus(Plane.DECISION)
    await decision.start()
    try:
        return await decision.call(VOTES_WAITING, VotesRequest(principal=who, everything=everything))
    finally:
        await decision.stop()


async def ids(world: World, who: Principal) -> set[UUID]:
    return {one.approval_id for one in (await waiting(world, who)).items}


async def test_each_sees_what_is_in_their_queue_and_nobody_sees_anothers(world: World) -> None:
    low, high = await asked_for(world, update()), await asked_for(world, charge())
    assert await ids(world, MANAGER) == {low.approval_id}
    assert await ids(world, CEO) == {low.approval_id, high.approval_id}
    support = person(7, "approver").evolve(business_role="support")
    assert await ids(world, support) == set()
    assert await ids(world, CEO.evolve(tenant_id=OTHER_TENANT)) == set()


async def test_who_may_not_vote_is_shown_nothing(world: World) -> None:
    await asked_for(world, update())
    for who in (person(8, "member"), person(9, "operator"), API_KEY, AGENT):
        assert await ids(world, who) == set()
    assert (await waiting(world, person(8, "member"), everything=True)).items == ()
    assert (await waiting(world, person(9, "auditor"), everything=True)).total == 1


async def test_what_is_above_ones_limit_waits_for_somebody_else(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(1000)}, quorum_above_sar=None)
    dear = await asked_for(world, update("1000.01"))
    assert await ids(world, APPROVER) == set()
    assert await ids(world, OWNER) == {dear.approval_id}


async def test_a_vote_that_was_given_is_not_asked_for_again(world: World) -> None:
    await set_rules(world, quorum_above_sar=Decimal(10))
    asked = await asked_for(world, update("11"))
    await yes(world, asked, APPROVER)
    assert await ids(world, APPROVER) == set()
    assert await ids(world, OWNER) == {asked.approval_id}
    await yes(world, asked, OWNER)
    assert (await waiting(world, OWNER, everything=True)).total == 0


async def test_an_own_request_waits_for_its_owner_alone_who_must_sign_in_again_for_it(world: World) -> None:
    asked = await asked_for(world, update(), by=OWNER)
    mine = await ids(world, OWNER)
    assert mine == {asked.approval_id}
    other = await asked_for(world, update(), by=REQUESTER.evolve(roles=("operator", "approver")))
    assert other.approval_id not in await ids(world, REQUESTER.evolve(roles=("operator", "approver")))
