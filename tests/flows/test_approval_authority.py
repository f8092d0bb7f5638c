"""Who may approve: limits by role and value, two people, lent rights, and the rules that say so.

OWASP AISVS: C9.2.1 (high-impact actions wait for a person), 9.6.3 (least privilege of approvers).
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from libs.contracts.approvals import (
    DelegateRequest,
    EndDelegation,
    RulesRequest,
    SetRules,
    TrustRules,
)
from libs.contracts.message import Principal, new_id
from libs.contracts.subjects import (
    APPROVAL,
    DELEGATE,
    END_DELEGATION,
    RULES,
    SET_RULES,
)
from libs.contracts.trust import (
    Approval,
    ApprovalRequest,
    ApprovalState,
)
from tests.flows.approving import CEO, MANAGER, OWNER, asked_for, refusal, set_rules, update, yes
from tests.flows.world import (
    API_KEY,
    APPROVER,
    OTHER_TENANT,
    REQUESTER,
    World,
    charge,
    person,
)

pytestmark = pytest.mark.asyncio


# Limits by role and value (AISVS 9.6.3) -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("value", ["1000.01", "999999999", "NaN", "a lot", "-5", "1e400"])
async def test_nobody_approves_above_their_limit_and_what_nobody_can_read_is_above_it(world: World, value: str) -> None:
    await set_rules(world, limits={"approver": Decimal(1000)}, quorum_above_sar=None)
    asked = await asked_for(world, update(value))
    assert await refusal(yes(world, asked, APPROVER)) == "over_limit"
    assert (await yes(world, asked, OWNER)).state is ApprovalState.APPROVED


@pytest.mark.parametrize("value", ["1000", "0", None])
async def test_up_to_the_limit_an_approver_decides(world: World, value: str | None) -> None:
    await set_rules(world, limits={"approver": Decimal(1000)})
    asked = await asked_for(world, update(value))
    assert (await yes(world, asked, APPROVER)).state is ApprovalState.APPROVED


async def test_an_amount_in_another_currency_is_above_every_limit(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(1000)}, quorum_above_sar=None)
    asked = await asked_for(world, update(amount="10", currency="USD"))
    assert await refusal(yes(world, asked, APPROVER)) == "over_limit"


async def test_a_business_roles_own_limit_holds_beside_the_system_roles(world: World) -> None:
    await set_rules(world, limits={"sales_manager": Decimal(10)})
    asked = await asked_for(world, update("11"))
    assert await refusal(yes(world, asked, MANAGER)) == "over_limit"


async def test_a_queue_is_decided_by_its_role_and_those_above_it(world: World) -> None:
    asked = await asked_for(world, update())
    assert asked.role == "sales_manager"
    support = person(7, "approver").evolve(business_role="support")
    assert await refusal(yes(world, asked, support)) == "not_your_queue"
    assert (await yes(world, asked, MANAGER)).state is ApprovalState.APPROVED
    high = await asked_for(world, charge())
    assert await refusal(yes(world, high, MANAGER)) == "not_your_queue"
    assert (await yes(world, high, CEO)).state is ApprovalState.PENDING


# Two people above a tenant's limit --------------------------------------------------------------------------------------------------


async def test_above_the_tenants_limit_two_different_people_must_approve(world: World) -> None:
    await set_rules(world, quorum_above_sar=Decimal(5000))
    action = await world.run(update("5000.01"))
    asked = await world.approval_of(action)
    assert asked.approvers == 2
    assert (await yes(world, asked, APPROVER)).state is ApprovalState.PENDING
    assert await refusal(yes(world, asked, APPROVER)) == "already_voted"
    assert await refusal(yes(world, asked, REQUESTER.evolve(roles=("owner",)))) == "self_approval"
    assert (await yes(world, asked, OWNER)).state is ApprovalState.APPROVED


async def test_at_the_limit_one_person_is_enough(world: World) -> None:
    await set_rules(world, quorum_above_sar=Decimal(5000))
    assert (await asked_for(world, update("5000"))).approvers == 1


# Lent rights --------------------------------------------------------------------------------------------------------------------------


async def lend(world: World, giver: Principal, to: Principal, asked: Approval | None = None, **more: Any) -> Any:
    fields = {"ends_at": world.clock() + timedelta(days=2), **more}
    made = DelegateRequest(
        principal=giver, delegation_id=new_id(), approval_id=asked.approval_id if asked else None, to_id=to.id, **fields
    )
    return await world.gateway.call(DELEGATE, made)


async def test_a_lent_right_reaches_as_far_as_its_givers_until_it_ends(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(10)})
    asked, later = await asked_for(world, update("11")), await asked_for(world, update("12"))
    assert await refusal(yes(world, asked, APPROVER)) == "over_limit"
    await lend(world, OWNER, APPROVER)
    done = await yes(world, asked, APPROVER)
    assert (done.state, done.history[-1].on_behalf) == (ApprovalState.APPROVED, OWNER.id)
    world.clock.advance(days=2)
    assert await refusal(yes(world, later, APPROVER)) == "over_limit"


async def test_one_requests_loan_is_none_of_another_request(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(10)})
    asked, other = await asked_for(world, update("11")), await asked_for(world, update("12"))
    await lend(world, OWNER, APPROVER, asked)
    assert await refusal(yes(world, other, APPROVER)) == "over_limit"
    assert (await yes(world, asked, APPROVER)).state is ApprovalState.APPROVED


async def test_a_right_that_was_taken_back_is_gone(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(10)})
    asked = await asked_for(world, update("11"))
    lent = await lend(world, OWNER, APPROVER)
    stranger = EndDelegation(principal=person(9, "operator"), delegation_id=lent.delegation_id)
    assert await refusal(world.gateway.call(END_DELEGATION, stranger)) == "forbidden"
    await world.gateway.call(END_DELEGATION, EndDelegation(principal=OWNER, delegation_id=lent.delegation_id))
    assert await refusal(yes(world, asked, APPROVER)) == "over_limit"


async def test_giver_and_taker_together_are_one_person_of_two(world: World) -> None:
    """A quorum of two is two rights of two people: whoever lent theirs has had their say."""
    await set_rules(world, limits={"approver": Decimal(10)}, quorum_above_sar=Decimal(10))
    asked = await asked_for(world, update("11"))
    await lend(world, OWNER, APPROVER)
    assert (await yes(world, asked, APPROVER)).state is ApprovalState.PENDING
    assert await refusal(yes(world, asked, OWNER)) == "already_voted"
    assert await refusal(yes(world, asked, APPROVER)) == "already_voted"
    assert (await yes(world, asked, person(8, "owner"))).state is ApprovalState.APPROVED


async def test_who_has_voted_does_not_vote_again_through_somebody_else(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(10)}, quorum_above_sar=Decimal(10))
    asked = await asked_for(world, update("11"))
    await lend(world, OWNER, APPROVER)
    assert (await yes(world, asked, OWNER)).state is ApprovalState.PENDING
    assert await refusal(yes(world, asked, APPROVER)) == "already_voted"
    assert (
        await world.gateway.call(APPROVAL, ApprovalRequest(principal=OWNER, approval_id=asked.approval_id))
    ).state is ApprovalState.PENDING


async def test_the_requester_can_neither_lend_nor_borrow_a_yes_to_an_own_request(world: World) -> None:
    await set_rules(world, limits={"approver": Decimal(10)})
    asker = person(1, "owner")
    asked = await asked_for(world, update("11"), by=asker)
    assert await refusal(lend(world, OWNER, asker, asked)) == "bad_delegation"
    await lend(world, asker, APPROVER)
    assert await refusal(yes(world, asked, APPROVER)) == "over_limit"


async def test_only_who_may_approve_lends_and_only_for_a_while(world: World) -> None:
    assert await refusal(lend(world, person(4, "operator"), APPROVER)) == "forbidden"
    assert await refusal(lend(world, API_KEY, APPROVER)) == "forbidden"
    assert await refusal(lend(world, OWNER, OWNER)) == "bad_delegation"
    for ends_at in (world.clock(), world.clock() + timedelta(days=91)):
        assert await refusal(lend(world, OWNER, APPROVER, ends_at=ends_at)) == "bad_delegation"


async def test_a_lent_right_makes_no_approver_of_somebody_who_is_none(world: World) -> None:
    asked = await asked_for(world, update())
    operator = person(4, "operator")
    await lend(world, OWNER, operator)
    assert await refusal(yes(world, asked, operator)) == "forbidden"


# Rules ----------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changes",
    [
        {"opens_minute": 600, "closes_minute": 600}, {"days": ()}, {"days": (7,)}, {"executive": "nobody"}, {"next_role": {"ceo": "x"}},
        {"any_hour": ("send_emial",)}, {"limits": {"aprover": Decimal(1)}}, {"limits": {"approver": Decimal(-1)}},
        {"quorum_above_sar": Decimal("NaN")}, {"sla_minutes": {}}, {"sla_minutes": {"high": 0}},
    ],
)  # fmt: skip
async def test_rules_that_cannot_hold_are_refused_and_nothing_changes(world: World, changes: dict[str, Any]) -> None:
    rules = TrustRules().model_copy(update=changes)
    request = SetRules(principal=OWNER, rules=rules, expected_version=0)
    assert await refusal(world.gateway.call(SET_RULES, request)) in ("bad_rules", "bad_request", "invalid_message")
    assert (await world.gateway.call(RULES, RulesRequest(principal=OWNER))).version == 0


async def test_who_approves_does_not_set_the_own_limit(world: World) -> None:
    for who in (APPROVER, person(4, "admin"), person(4, "operator")):
        request = SetRules(principal=who, rules=TrustRules(limits={}), expected_version=0)
        assert await refusal(world.gateway.call(SET_RULES, request)) == "forbidden"


async def test_rules_of_one_tenant_are_none_of_anothers_and_two_editors_do_not_overwrite_each_other(
    world: World,
) -> None:
    await set_rules(world, limits={"approver": Decimal(1)})
    other = person(3, "owner", tenant=OTHER_TENANT)
    assert (await world.gateway.call(RULES, RulesRequest(principal=other))).version == 0
    stale = SetRules(principal=OWNER, rules=TrustRules(), expected_version=0)
    assert await refusal(world.gateway.call(SET_RULES, stale)) == "rules_changed"
