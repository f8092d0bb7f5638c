"""A failing gate control holds what is live, and nothing else."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from libs.contracts.errors import CallTimeout
from libs.contracts.execution import ActionState
from tests.flows.test_contacting import codes, email
from tests.flows.world import TENANT, World


def failing(world: World, *tenants: UUID) -> None:
    async def controls(asked: Collection[UUID]) -> set[UUID]:
        return set(asked) & set(tenants)

    world.authorizer.controls = controls


async def test_a_failing_gate_control_blocks_live_effects_whoever_approved(world: World) -> None:
    world.operating.flags = {TENANT: {"live.email_smtp": True}}
    willing = world.contact(consents=(world.consent("email"),))
    parked = await world.run(email(willing))
    failing(world, TENANT)
    approved = await world.approve(parked)
    assert approved.state is ActionState.REFUSED
    assert "control_failing" in codes(approved)
    assert world.wire.sent == []


async def test_it_leaves_the_sandbox_usable(world: World) -> None:
    failing(world, TENANT)
    done = await world.approve(await world.run(email(world.contact())))
    assert done.state is ActionState.SUCCEEDED
    assert [sent.mode for sent in world.wire.sent] == ["sandbox"]


async def test_another_tenants_failure_holds_nobody_else(world: World) -> None:
    failing(world, UUID(int=5))
    world.operating.flags = {TENANT: {"live.email_smtp": True}}
    willing = world.contact(consents=(world.consent("email"),))
    assert (await world.approve(await world.run(email(willing)))).state is ActionState.SUCCEEDED


async def test_where_controls_cannot_be_read_nothing_is_decided(world: World) -> None:
    async def silent(_: Collection[UUID]) -> set[UUID]:
        raise CallTimeout("controls")

    world.authorizer.controls = silent
    await world.submit(email(world.contact()))
    await world.settle()
    assert world.replies == []
    assert world.wire.sent == []
