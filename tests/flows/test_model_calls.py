"""A question to a model leaves under a grant of its own, to a provider that may see it, and never else (PDPL art. 29, OWASP LLM02)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from libs.contracts.catalogue.models import LOCAL, models
from libs.contracts.execution import Action, ActionState, ControlRow
from libs.contracts.governance import Kind, SetStanding
from libs.contracts.message import Principal, PrincipalKind
from libs.contracts.subjects import EXECUTION_CONTROL, SET_STANDING
from libs.contracts.trust import ResourceRef
from tests.flows.world import AGENT, OTHER_TENANT, REQUESTER, TENANT, World, item, person

pytestmark = pytest.mark.asyncio
SYSTEM = Principal(id="system:models", kind=PrincipalKind.SYSTEM, tenant_id=TENANT)
OWNER = person(3, "owner")
PROVIDERS = sorted(set(models().providers) - {LOCAL})


async def ask(world: World, provider: str, by: Principal = SYSTEM, **payload: Any) -> Action:
    wanted = {"provider": provider, "agent": "sector_strategist", "personal": False, "body_sha256": "0" * 64, **payload}
    for name in [name for name, value in wanted.items() if value is None]:
        del wanted[name]
    about = ResourceRef(type="agent", id=str(wanted.get("agent", "")))
    return await world.run(item(f"model_{provider}", wanted, about), by)


def codes(action: Action) -> set[str]:
    return {reason.code for reason in action.reasons}


async def test_what_a_provider_may_see_is_asked_under_a_grant_of_its_own(world: World) -> None:
    action = await ask(world, "openai")
    assert action.state is ActionState.SUCCEEDED, action.reasons
    (sent,) = world.wire.sent
    assert (sent.connector, sent.operation, sent.mode) == ("openai", "complete", "sandbox")
    assert action.grant_id is not None


@pytest.mark.parametrize(
    ("provider", "payload", "code"),
    [
        ("openai", {"personal": True}, "model_personal_abroad"),
        ("openai", {"personal": None}, "model_personal_abroad"),
        ("openai", {"personal": "no"}, "model_personal_abroad"),
        ("compatible", {"personal": True}, "model_personal_abroad"),
        ("openai", {"agent": "objection_handler"}, "model_data_class"),
        ("groq", {"agent": "voice_call"}, "model_data_class"),
        ("deepseek", {}, "model_data_class"),
        ("openai", {"agent": "nobody"}, "model_not_known"),
        ("openai", {"agent": None}, "model_not_known"),
    ],
)
async def test_what_a_provider_may_not_see_never_leaves(
    world: World, provider: str, payload: dict[str, Any], code: str
) -> None:
    action = await ask(world, provider, **payload)
    assert (action.state, codes(action) & {code}) == (ActionState.REFUSED, {code}), action.reasons
    assert world.wire.sent == []


async def test_personal_data_goes_abroad_under_a_transfer_on_record_and_to_that_recipient_alone(world: World) -> None:
    await transfer(world, "openai")
    assert (await ask(world, "openai", personal=True)).state is ActionState.SUCCEEDED
    assert codes(await ask(world, "anthropic", personal=True)) == {"model_personal_abroad"}
    await transfer(world, "anthropic", tenant=OTHER_TENANT)
    assert codes(await ask(world, "anthropic", personal=True)) == {"model_personal_abroad"}


async def test_what_may_not_leave_the_country_does_not_by_a_recorded_transfer(world: World) -> None:
    await transfer(world, "openai")
    action = await ask(world, "openai", agent="lead_qualification", personal=False)
    assert action.state is ActionState.REFUSED and codes(action) & {"model_data_class", "model_cross_border"}


async def test_at_home_personal_data_is_no_transfer(world: World) -> None:
    assert (await ask(world, "self_host", agent="objection_handler", personal=True)).state is ActionState.SUCCEEDED


@pytest.mark.parametrize("by", [REQUESTER, AGENT])
async def test_nobody_but_the_system_asks_a_model(world: World, by: Principal) -> None:
    action = await ask(world, "openai", by=by)
    assert action.state is ActionState.REFUSED and "model_asked_for_an_agent" in codes(action)
    assert world.wire.sent == []


async def test_a_suspended_agent_has_nothing_asked_for_it(world: World) -> None:
    stop = SetStanding(principal=OWNER, kind=Kind.AGENT, id="sector_strategist", suspended=True, reason="looked odd")
    await world.gateway.call(SET_STANDING, stop)
    action = await ask(world, "openai")
    assert action.state is ActionState.REFUSED and "model_agent_stopped" in codes(action)


@pytest.mark.parametrize("provider", PROVIDERS)
async def test_every_provider_is_a_connector_of_its_own_so_that_one_can_be_stopped_alone(
    world: World, provider: str
) -> None:
    row = ControlRow(tenant_id=TENANT, scope="connector", target=provider, paused=True, version=1)
    await world.operating_bus.call(EXECUTION_CONTROL, row)
    action = await ask(world, provider)
    assert action.state is not ActionState.SUCCEEDED and world.wire.sent == []


async def transfer(world: World, provider: str, tenant: UUID = TENANT) -> None:
    async with world.trust_store.unit(tenant) as unit:
        unit.transfers.record(tenant, provider)
