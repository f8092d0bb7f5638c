"""A grant is for exactly one action, once: whatever else is presented at the gate never reaches a connector."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest

from libs.contracts.canonical import canonical, digest
from libs.contracts.execution import ActionState
from libs.contracts.grant import b64
from libs.contracts.message import new_id
from libs.contracts.subjects import AUTHORIZE, KEYS
from libs.contracts.trust import AuthorizeReply, AuthorizeRequest, Decision, Grant, GrantClaims, KeysReply, KeysRequest
from libs.runtime.testing import Disturbance
from services.trust.domain.keys import TrustKeys, issue
from tests.flows.world import (
    GRANT_SECONDS,
    KEYS_OF_TRUST,
    OTHER_TENANT,
    TENANT,
    ResourceRef,
    World,
    email,
    keys_from,
    notice,
    person,
)

pytestmark = pytest.mark.asyncio

Change = Callable[[Grant], Grant]


def claims_of(grant: Grant) -> GrantClaims:
    return GrantClaims.model_validate_json(grant.claims)


def resigned(decision: Decision, keys: TrustKeys = KEYS_OF_TRUST, **claims: Any) -> Decision:
    """The decision with a grant of changed claims, properly signed."""
    assert decision.grant is not None
    (grant,) = issue([claims_of(decision.grant).evolve(**claims)], keys.grant)
    changed: Decision = decision.evolve(grant=grant)
    return changed


def on_first_grant(change: Callable[[AuthorizeRequest, Decision], Decision]) -> Any:
    """A tampering that changes every granted decision."""

    def tamper(request: AuthorizeRequest, reply: AuthorizeReply) -> AuthorizeReply:
        return AuthorizeReply(
            decisions=tuple(change(request, d) if d.grant is not None else d for d in reply.decisions)
        )

    return tamper


async def expect_refused_at_the_gate(world: World, check: str) -> None:
    action = await world.run(notice())
    assert world.wire.sent == []
    assert world.execution_store.dispatched == ()
    assert action.state is ActionState.REFUSED
    assert check in action.timeline[-1].detail


# Forged ------------------------------------------------------------------------------------------------------------------------


def flip(text: str) -> str:
    """The same base64url text with one bit of its first byte changed."""
    raw = bytearray(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    raw[0] ^= 1
    return b64(bytes(raw))


def part(number: int, change: Callable[[str], str]) -> Change:
    def changed(grant: Grant) -> Grant:
        parts = grant.root_jws.split(".")
        parts[number] = change(parts[number])
        out: Grant = grant.evolve(root_jws=".".join(parts))
        return out

    return changed


def header(**fields: object) -> Change:
    """Another header, signed by the real key: what is signed must also be of the right kind."""

    def changed(grant: Grant) -> Grant:
        old, body, _ = grant.root_jws.split(".")
        head = {**json.loads(base64.urlsafe_b64decode(old + "==")), **fields}
        signed = f"{b64(canonical(head))}.{body}"
        out: Grant = grant.evolve(root_jws=f"{signed}.{b64(KEYS_OF_TRUST.grant.sign(signed.encode()))}")
        return out

    return changed


def other_claims(grant: Grant) -> Grant:
    changed = claims_of(grant).evolve(connector_mode="live")
    out: Grant = grant.evolve(claims=canonical(changed.model_dump(mode="json")).decode())
    return out


FORGERIES: dict[str, Change] = {
    "signature": part(2, flip),
    "no signature": part(2, lambda _: ""),
    "root": part(1, lambda _: b64(canonical({"root": "00" * 32, "size": 1}))),
    "not a jws": lambda grant: grant.evolve(root_jws="hello"),
    "claims": other_claims,
    "claims that are no JSON": lambda grant: grant.evolve(claims="{"),
    "size": lambda grant: grant.evolve(size=2),
    "index": lambda grant: grant.evolve(index=1),
    "path": lambda grant: grant.evolve(path=("00" * 32,)),
    "path that is not hex": lambda grant: grant.evolve(path=("zz",)),
    "algorithm none": header(alg="none"),
    "algorithm HS256": header(alg="HS256"),
    "signed as a checkpoint": header(typ="dealix-checkpoint"),
    "no type": header(typ=None),
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_grant_never_reaches_the_connector(world: World, name: str) -> None:
    world.tamper = on_first_grant(lambda _, d: d.evolve(grant=FORGERIES[name](d.grant)))
    action = await world.run(notice())
    assert (world.wire.sent, world.execution_store.dispatched) == ([], ())
    # One that names no key at all might be a newer trust's: it is asked for again, and never performed.
    assert action.state is (ActionState.ACCEPTED if name == "not a jws" else ActionState.REFUSED)


async def test_a_grant_that_somebody_else_signed_in_trusts_name_never_reaches_the_connector(world: World) -> None:
    mallory = keys_from("mallory")
    pair = type(mallory.grant)(KEYS_OF_TRUST.grant.kid, mallory.grant.key)
    world.tamper = on_first_grant(lambda _, d: d.evolve(grant=issue([claims_of(d.grant)], pair)[0]))
    await expect_refused_at_the_gate(world, "signature")


async def test_a_grant_of_an_unknown_key_is_waited_for_and_never_performed(world: World) -> None:
    mallory = keys_from("mallory")
    world.tamper = on_first_grant(lambda _, d: resigned(d, mallory))
    action = await world.run(notice())
    assert (action.state, action.waiting_for, world.wire.sent) == (ActionState.ACCEPTED, "trust", [])


async def test_one_unreadable_grant_does_not_keep_its_neighbours_waiting(world: World) -> None:
    mallory = keys_from("mallory")
    world.tamper = lambda _, reply: AuthorizeReply(
        decisions=(resigned(reply.decisions[0], mallory), *reply.decisions[1:])
    )
    results = await world.submit(*(notice(f"n{n}") for n in range(5)))
    states = [(await world.action(result.action_id)).state for result in results]
    assert states == [ActionState.ACCEPTED] + [ActionState.SUCCEEDED] * 4


@pytest.mark.parametrize("purpose", ["checkpoint", "statement"])
async def test_trusts_keys_for_other_purposes_sign_no_grants(world: World, purpose: str) -> None:
    pair = getattr(KEYS_OF_TRUST, purpose)
    world.tamper = on_first_grant(lambda _, d: d.evolve(grant=issue([claims_of(d.grant)], pair)[0]))
    action = await world.run(notice())
    assert (action.state, world.wire.sent) == (ActionState.ACCEPTED, [])


async def test_a_rotated_key_is_learned_from_the_published_set(world: World) -> None:
    newer = keys_from("newer")

    async def published(_: KeysRequest) -> KeysReply:
        return KeysReply(keys=(*KEYS_OF_TRUST.jwks(), *newer.jwks()))

    world.trust_bus.call_handlers[KEYS.subject] = (KEYS, published)
    world.tamper = on_first_grant(lambda _, d: resigned(d, newer))
    assert (await world.run(notice())).state is ActionState.SUCCEEDED


# Signed, and not for this ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("check", "claims"),
    [
        ("tenant", {"tenant_id": OTHER_TENANT}),
        ("action", {"action_id": UUID(int=7)}),
        ("attempt", {"attempt": 2}),
        ("audience", {"audience": "dealix:decision"}),
        ("audience", {"audience": ""}),
        ("connector", {"connector": "email_smtp"}),
        ("operation", {"operation": "delete"}),
        ("payload", {"payload_digest": "00" * 32}),
        ("payload", {"payload_digest": ""}),
    ],
)
async def test_a_signed_grant_for_something_else_is_not_admitted(
    world: World, check: str, claims: dict[str, Any]
) -> None:
    world.tamper = on_first_grant(lambda _, d: resigned(d, **claims))
    await expect_refused_at_the_gate(world, check)


async def test_a_payload_that_was_swapped_after_the_decision_is_not_sent(world: World) -> None:
    def other_payload(request: AuthorizeRequest, decision: Decision) -> Decision:
        salt = bytes.fromhex(request.evaluations[0].salt)
        return resigned(decision, payload_digest=digest(salt, canonical({"text": "something else"})))

    world.tamper = on_first_grant(other_payload)
    await expect_refused_at_the_gate(world, "payload")


async def test_a_grant_of_another_tenants_action_is_not_admitted(world: World) -> None:
    theirs = person(9, tenant=OTHER_TENANT)
    await world.run(notice(resource=ResourceRef(type="tenant", id=str(OTHER_TENANT))), by=theirs)
    foreign = world.replies[0].decisions[0]
    before = len(world.wire.sent)
    for presented in (
        foreign,
        foreign.evolve(tenant_id=TENANT),
    ):
        world.tamper = on_first_grant(lambda request, d, p=presented: p.evolve(action_id=d.action_id))
        action = await world.run(notice())
        assert (action.state, len(world.wire.sent)) == (ActionState.REFUSED, before)


async def test_the_grant_of_an_earlier_action_is_not_admitted_for_a_later_one(world: World) -> None:
    await world.run(notice("one"))
    used = world.replies[0].decisions[0]
    world.tamper = on_first_grant(lambda _, d: d.evolve(grant=used.grant))
    action = await world.run(notice("one"))
    assert (action.state, len(world.wire.sent)) == (ActionState.REFUSED, 1)


async def test_a_refusal_with_a_grant_attached_is_still_a_refusal(world: World) -> None:
    await world.run(notice())
    good = world.replies[0].decisions[0].grant

    def attach(_: AuthorizeRequest, reply: AuthorizeReply) -> AuthorizeReply:
        return AuthorizeReply(decisions=tuple(d.evolve(grant=good) for d in reply.decisions))

    world.tamper = attach
    action = await world.run(email(world.contact()))
    assert (action.state, len(world.wire.sent)) == (ActionState.AWAITING_APPROVAL, 1)


async def test_a_permission_without_a_grant_is_no_permission(world: World) -> None:
    world.tamper = on_first_grant(lambda _, d: d.evolve(grant=None))
    await expect_refused_at_the_gate(world, "granted nothing")


async def test_an_outcome_of_granted_that_is_not_allowed_is_no_permission(world: World) -> None:
    world.tamper = on_first_grant(lambda _, d: d.evolve(allowed=False))
    await expect_refused_at_the_gate(world, "granted nothing")


# Expired -----------------------------------------------------------------------------------------------------------------------


async def test_an_expired_grant_is_not_used_and_trust_is_asked_again(world: World) -> None:
    late = iter([GRANT_SECONDS])

    def delay(_: AuthorizeRequest, reply: AuthorizeReply) -> AuthorizeReply:
        world.clock.advance(seconds=next(late, 0))
        return reply

    world.tamper = delay
    action = await world.run(notice())
    world.clock.advance(seconds=60)
    await world.settle()
    action = await world.action(action.action_id)
    assert action.state is ActionState.SUCCEEDED
    expired, fresh = (claims_of(reply.decisions[0].grant) for reply in world.replies[-2:])  # type: ignore[arg-type]
    assert [one.grant_id for one in world.wire.sent] == [fresh.grant_id]
    assert expired.grant_id not in {dispatch.grant_id for dispatch in world.execution_store.dispatched}


@pytest.mark.parametrize(
    "times",
    [
        {"issued_at": 0, "expires_at": 1},
        {"issued_at": 0, "expires_at": 0},
    ],
)
async def test_a_grant_outside_its_time_is_never_used(world: World, times: dict[str, int]) -> None:
    world.tamper = on_first_grant(lambda _, d: resigned(d, **times))
    await world.run(notice())
    assert (world.wire.sent, world.execution_store.dispatched) == ([], ())


async def test_a_grant_from_the_future_is_never_used(world: World) -> None:
    start = int(world.clock().timestamp())
    world.tamper = on_first_grant(lambda _, d: resigned(d, issued_at=start + 3600, expires_at=start + 7200))
    await world.run(notice())
    assert world.wire.sent == []


# Used before -------------------------------------------------------------------------------------------------------------------


async def test_a_nonce_is_used_once_even_by_another_grant(world: World) -> None:
    await world.run(notice("first"))
    nonce = world.execution_store.dispatched[0].nonce
    world.tamper = on_first_grant(lambda _, d: resigned(d, nonce=nonce, grant_id=new_id()))
    action = await world.run(notice("second"))
    assert [one.payload["text"] for one in world.wire.sent] == ["first"]
    assert action.state not in (ActionState.SUCCEEDED, ActionState.DISPATCHED)


async def test_two_replicas_with_the_same_action_send_it_once(world: World) -> None:
    world.hub.disturb(AUTHORIZE, Disturbance.SILENT, times=1)
    action = await world.run(notice())
    world.clock.advance(seconds=30)
    leased = await world.execution_store.claim("one", 10)
    async with world.execution_store.unit(TENANT) as unit:
        first, second = await unit.jobs(leased), await unit.jobs(leased)
    await asyncio.gather(world.parts.pipeline.run(first), world.parts.pipeline.run(second))
    await world.quiet()
    assert (len(world.wire.sent), len(world.execution_store.dispatched)) == (1, 1)
    assert (await world.action(action.action_id)).state is ActionState.SUCCEEDED


async def test_a_finished_action_that_comes_back_is_not_sent_again(world: World) -> None:
    await world.run(notice())
    job = world.execution_store.dispatched[0].job
    await world.parts.pipeline.run([job])
    await world.quiet()
    assert len(world.wire.sent) == 1


async def test_the_same_evaluation_gets_the_same_decision_and_the_same_grant(world: World) -> None:
    await world.submit(notice("a"), notice("b"))
    again = await world.execution_bus.call(AUTHORIZE, world.requests[0])
    assert again == world.replies[0]


async def test_the_same_action_with_another_payload_is_another_decision(world: World) -> None:
    await world.run(notice("a"))
    asked = world.requests[0].evaluations[0]
    other = AuthorizeRequest(evaluations=(asked.evolve(payload='{"text":"b"}'),))
    decision = (await world.execution_bus.call(AUTHORIZE, other)).decisions[0]
    first = world.replies[0].decisions[0]
    assert decision.decision_id != first.decision_id
    assert decision.grant is not None
    assert claims_of(decision.grant).payload_digest != claims_of(first.grant).payload_digest  # type: ignore[arg-type]
