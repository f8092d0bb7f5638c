"""Who approves in the flows' world, and the few steps that tests of approvals share."""

from __future__ import annotations

from typing import Any

import pytest

from libs.contracts.approvals import (
    RulesRequest,
    SetRules,
)
from libs.contracts.errors import RemoteFault
from libs.contracts.message import Principal
from libs.contracts.subjects import (
    APPROVE,
    RULES,
    SET_RULES,
)
from libs.contracts.trust import (
    Approval,
)
from tests.flows.world import (
    REQUESTER,
    SECOND_APPROVER,
    World,
    item,
    person,
    vote,
)

OWNER = SECOND_APPROVER
MANAGER = person(5, "approver").evolve(business_role="sales_manager")
CEO = person(6, "approver").evolve(business_role="ceo")


async def refusal(awaited: Any) -> str:
    with pytest.raises(RemoteFault) as raised:
        await awaited
    assert raised.value.ar
    return raised.value.code


async def set_rules(world: World, **changes: Any) -> None:
    was = await world.gateway.call(RULES, RulesRequest(principal=OWNER))
    rules = was.rules.evolve(**changes)
    await world.gateway.call(SET_RULES, SetRules(principal=OWNER, rules=rules, expected_version=was.version))


async def asked_for(world: World, made: Any, by: Principal = REQUESTER) -> Approval:
    return await world.approval_of(await world.run(made, by=by))


async def yes(world: World, asked: Approval, by: Principal) -> Approval:
    return await world.gateway.call(APPROVE, vote(asked, by))


def update(value: str | None = None, **fields: Any) -> Any:
    return item("crm_update", {"deal": "d-1", **({"value_sar": value} if value is not None else {}), **fields})
