"""From a submission to the wire: what trust says is what happens, and without trust nothing does."""

from __future__ import annotations

import pytest

from libs.contracts.catalogue.actions import effects
from libs.contracts.errors import RemoteFault
from libs.contracts.execution import ActionState
from libs.contracts.subjects import APPROVE, AUDITED, AUTHORIZE, FLAGS
from libs.contracts.trust import AuthorizeReply, AuthorizeRequest, Outcome
from libs.runtime.testing import Disturbance
from services.execution.router import catalogue_router
from tests.flows.world import (
    AGENT,
    OTHER_TENANT,
    REQUESTER,
    TENANT,
    ResourceRef,
    World,
    about,
    charge,
    email,
    email_payload,
    item,
    notice,
    person,
    vote,
    world,
)

pytestmark = pytest.mark.asyncio


def codes(action: object) -> set[str]:
    return {reason.code for reason in action.reasons}  # type: ignore[attr-defined]


async def test_a_safe_action_runs_at_once_and_leaves_a_receipt(world: World) -> None:
    action = await world.run(notice("hello"))
    assert (action.state, action.action_class) == (ActionState.SUCCEEDED, "A")
    assert [(s.connector, s.payload, s.mode) for s in world.wire.sent] == [("slack", {"text": "hello"}, "sandbox")]
    assert action.receipt is not None
    assert (action.receipt.grant_id, action.receipt.mode) == (action.grant_id, "sandbox")


# Trust is silent ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("disturbance", list(Disturbance))
async def test_without_trusts_answer_nothing_is_performed_and_the_action_waits(
    world: World, disturbance: Disturbance
) -> None:
    world.hub.disturb(AUTHORIZE, disturbance)
    action = await world.run(notice())
    assert (action.state, action.waiting_for) == (ActionState.ACCEPTED, "trust")
    assert world.wire.sent == []
    assert world.execution_store.dispatched == ()


async def test_an_action_that_waited_for_trust_is_performed_once_when_trust_is_back(world: World) -> None:
    world.hub.disturb(AUTHORIZE, Disturbance.SILENT)
    action = await world.run(notice())
    for _ in range(8):
        world.clock.advance(seconds=30)
        await world.settle()
    assert world.wire.sent == []
    world.hub.calm(AUTHORIZE)
    world.clock.advance(seconds=30)
    await world.settle()
    assert (await world.action(action.action_id)).state is ActionState.SUCCEEDED
    assert len(world.wire.sent) == 1


async def test_an_answer_that_was_lost_is_the_same_answer_when_asked_again(world: World) -> None:
    world.hub.disturb(AUTHORIZE, Disturbance.REPLY_LOST, times=1)
    action = await world.run(notice())
    world.clock.advance(seconds=30)
    await world.settle()
    first, second = (reply.decisions[0] for reply in world.replies)
    assert first == second
    assert first.grant is not None
    assert (await world.action(action.action_id)).state is ActionState.SUCCEEDED
    assert len(world.wire.sent) == 1


async def test_an_answer_with_too_few_decisions_performs_nothing(world: World) -> None:
    world.tamper = lambda _, reply: AuthorizeReply(decisions=reply.decisions[:-1])
    results = await world.submit(notice("a"), notice("b"))
    actions = [await world.action(result.action_id) for result in results]
    assert {(a.state, a.waiting_for) for a in actions} == {(ActionState.ACCEPTED, "trust")}
    assert world.wire.sent == []


async def test_an_answer_in_another_order_performs_nothing_under_the_wrong_name(world: World) -> None:
    def swap(_: AuthorizeRequest, reply: AuthorizeReply) -> AuthorizeReply:
        return AuthorizeReply(decisions=reply.decisions[::-1])

    world.tamper = swap
    results = await world.submit(notice("a"), notice("b"))
    assert world.wire.sent == []
    assert {(await world.action(r.action_id)).state for r in results} == {ActionState.REFUSED}


# The class comes from the effect ------------------------------------------------------------------------------------------------


async def test_a_send_that_is_labelled_as_something_harmless_is_still_a_send() -> None:
    router = catalogue_router()
    router.register("friendly_note", effect="send_email")
    async with world(router=router) as made:
        contact = made.contact()
        action = await made.run(email(contact, action_type="friendly_note"))
        assert (action.state, action.action_class) == (ActionState.AWAITING_APPROVAL, "B")
        assert made.wire.sent == []


async def test_a_harmless_label_does_not_carry_a_sends_payload_out(world: World) -> None:
    contact = world.contact()
    action = await world.run(item("summarize", email_payload(contact), about(contact)))
    assert action.state is ActionState.SUCCEEDED
    assert world.wire.sent == []
    assert action.receipt is not None
    assert action.receipt.connector == "internal"


async def test_trust_decides_by_the_effect_and_not_by_the_label_it_is_told(world: World) -> None:
    contact = world.contact()
    await world.run(email(contact))
    asked = world.requests[0].evaluations[0]
    relabelled = AuthorizeRequest(evaluations=(asked.evolve(action_type="summarize", attempt=2),))
    reply = await world.execution_bus.call(AUTHORIZE, relabelled)
    assert (reply.decisions[0].outcome, reply.decisions[0].action_class) == (Outcome.PARKED, "B")


async def test_an_effect_that_nobody_registered_is_refused(world: World) -> None:
    await world.run(notice())
    asked = world.requests[0].evaluations[0].evolve(effect="teleport", attempt=2)
    decision = (await world.execution_bus.call(AUTHORIZE, AuthorizeRequest(evaluations=(asked,)))).decisions[0]
    assert (decision.outcome, decision.action_class, decision.grant) == (Outcome.REFUSED, "B", None)
    assert "unregistered_effect" in {reason.code for reason in decision.reasons}


# Names -------------------------------------------------------------------------------------------------------------------------


async def test_an_unknown_action_type_is_not_accepted_and_that_is_on_record(world: World) -> None:
    (result,) = await world.submit(item("teleport", {}))
    assert (result.state, result.error and result.error.code) == (None, "unknown_action_type")
    audited = [d for d in world.hub.published if d.event is AUDITED[world.execution_bus.plane]]
    assert len(audited) == 1
    assert (world.requests, world.wire.sent) == ([], [])


@pytest.mark.parametrize(
    "name",
    [
        "exfiltrate_secrets",
        "Exfiltrate_Secrets",
        "EXFILTRATE-SECRETS",
        "exfiltrate secrets",
        "exfiltrate.secrets",
        "ｅｘｆｉｌｔｒａｔｅ＿ｓｅｃｒｅｔｓ",
        "exfil\u200btrate_secrets",
        "exfiltrate_secret",
        "exfiltrat_secretz",
        "bypass_auth",
        "bypas_auth",
        "delete_all_leads",
        "Delete-All-Leads",
        "delete_al_leads",
        "drop_database",
        "publish_without_aproval",
        "destructive__unchecked",
    ],
)
async def test_a_forbidden_name_is_forbidden_however_it_is_written(world: World, name: str) -> None:
    action = await world.run(item(name, {}))
    assert (action.state, action.action_class, action.approval_id) == (ActionState.REFUSED, "C", None)
    assert "class_c_forbidden" in codes(action)
    assert world.wire.sent == []


@pytest.mark.parametrize("name", sorted(name for name, effect in effects().items() if effect.blocked))
async def test_a_blocked_effect_is_refused_and_nobody_is_asked_to_approve_it(world: World, name: str) -> None:
    action = await world.run(item(name, email_payload(world.contact())))
    assert (action.state, action.approval_id) == (ActionState.REFUSED, None)
    assert world.wire.sent == []


# Approval tokens -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token", ["yes", "approved", "1", "", "00000000-0000-0000-0000-000000000000", "tok_live_abc"])
async def test_an_approval_token_that_nobody_issued_opens_nothing(world: World, token: str) -> None:
    action = await world.run(charge(approval_token=token))
    assert action.state is ActionState.REFUSED
    assert "approval_token_unknown" in codes(action)
    assert world.wire.sent == []


async def test_the_approval_of_one_action_opens_no_other(world: World) -> None:
    contact = world.contact()
    first = await world.run(email(contact))
    await world.approve(first)
    assert len(world.wire.sent) == 1
    second = await world.run(
        item("send_email", email_payload(contact), about(contact), approval_token=str(first.approval_id))
    )
    assert (second.state, len(world.wire.sent)) == (ActionState.REFUSED, 1)


async def test_a_token_inside_the_payload_is_not_accepted(world: World) -> None:
    (result,) = await world.submit(item("create_charge", {"amount": "5.00", "approval_token": "x"}))
    assert (result.state, result.error and result.error.code) == (None, "token_in_payload")


# Tenants -------------------------------------------------------------------------------------------------------------------------


async def test_a_principal_of_another_tenant_is_refused_by_trust(world: World) -> None:
    await world.run(notice())
    stranger = person(9, "owner", tenant=OTHER_TENANT)
    asked = world.requests[0].evaluations[0].evolve(subject=stranger, attempt=2)
    decision = (await world.execution_bus.call(AUTHORIZE, AuthorizeRequest(evaluations=(asked,)))).decisions[0]
    assert (decision.outcome, decision.grant) == (Outcome.REFUSED, None)
    assert "tenant_mismatch" in {reason.code for reason in decision.reasons}


async def test_a_resource_that_is_another_tenant_is_refused(world: World) -> None:
    action = await world.run(notice(resource=ResourceRef(type="tenant", id=str(OTHER_TENANT))))
    assert action.state is ActionState.REFUSED
    assert "tenant_mismatch" in codes(action)
    assert world.wire.sent == []


async def test_a_payload_that_names_another_tenant_is_refused(world: World) -> None:
    action = await world.run(item("slack_notify", {"text": "x", "tenant_id": str(OTHER_TENANT)}))
    assert action.state is ActionState.REFUSED
    assert "tenant_mismatch" in codes(action)
    own = await world.run(item("slack_notify", {"text": "x", "tenant_id": str(TENANT)}))
    assert own.state is ActionState.SUCCEEDED


async def test_another_tenants_contact_is_unknown_here(world: World) -> None:
    theirs = world.contact(tenant=OTHER_TENANT)
    action = await world.run(email(theirs))
    assert action.state is ActionState.REFUSED
    assert "facts_unknown" in codes(action)


async def test_another_tenants_action_is_not_there(world: World) -> None:
    action = await world.run(notice())
    with pytest.raises(Exception, match="no such item"):
        await world.action(action.action_id, person(9, "owner", tenant=OTHER_TENANT))


# What a permission leads to ------------------------------------------------------------------------------------------------------


async def test_an_effect_without_a_connector_becomes_a_persons_task(world: World) -> None:
    action = await world.run(item("publish_content", {"text": "x"}))
    done = await world.approve(action)
    assert (done.state, world.wire.sent) == (ActionState.MANUAL, [])


async def test_a_draft_effect_runs_without_an_approval_and_only_drafts(world: World) -> None:
    action = await world.run(email(world.contact(), action_type="gmail_create_draft"))
    assert (action.state, action.mode) == (ActionState.SUCCEEDED, "draft_only")
    assert [(s.operation, s.mode) for s in world.wire.sent] == [("create_draft", "sandbox")]


async def test_a_connector_is_live_only_where_the_tenants_flag_says_so(world: World) -> None:
    world.operating.flags = {TENANT: {"live.slack": True}, OTHER_TENANT: {"live.email_smtp": True}}
    await world.run(notice())
    other = person(9, tenant=OTHER_TENANT)
    await world.run(notice(resource=ResourceRef(type="tenant", id=str(OTHER_TENANT))), by=other)
    assert [(s.tenant_id, s.mode) for s in world.wire.sent] == [(TENANT, "live"), (OTHER_TENANT, "sandbox")]


async def test_a_flag_that_cannot_be_read_makes_nothing_live(world: World) -> None:
    world.operating.flags = {TENANT: {"live.slack": True}}
    world.hub.disturb(FLAGS, Disturbance.SILENT)
    await world.run(notice())
    assert [s.mode for s in world.wire.sent] == ["sandbox"]


async def test_a_flag_that_was_switched_off_is_off_within_seconds(world: World) -> None:
    world.operating.flags = {TENANT: {"live.slack": True}}
    await world.run(notice())
    world.operating.flags = {}
    world.clock.advance(seconds=6)
    await world.run(notice())
    assert [s.mode for s in world.wire.sent] == ["live", "sandbox"]


# Every decision is on record -----------------------------------------------------------------------------------------------------


async def test_every_attempt_and_refusal_is_an_entry_of_the_tenants_ledger(world: World) -> None:
    done = await world.run(notice())
    refused = await world.run(item("bypass_auth", {}))
    kinds = await ledger(world)
    assert kinds[f"action:{done.action_id}"] == ["decision", "outcome"]
    assert kinds[f"action:{refused.action_id}"] == ["decision"]


async def test_every_grant_is_closed_by_one_outcome(world: World) -> None:
    await world.submit(*(notice(f"n{n}") for n in range(5)))
    world.hub.redeliver()
    await world.settle()
    entries = await world.trust_store.ledger.entries(_of(TENANT, "outcome"), 100)
    assert len(entries) == 5
    assert len(world.wire.sent) == 5


async def ledger(made: World) -> dict[str, list[str]]:
    out: dict[str, list[str]] = {}
    for entry in reversed(await made.trust_store.ledger.entries(_of(TENANT), 1000)):
        out.setdefault(entry.target, []).append(entry.kind)
    return out


def _of(tenant: object, kind: str | None = None) -> object:
    from services.trust.ledger.domain.records import EntryFilter

    return EntryFilter(tenant_id=tenant, kind=kind)  # type: ignore[arg-type]


async def test_a_member_of_the_tenant_is_who_asked(world: World) -> None:
    action = await world.run(notice())
    assert action.requested_by == REQUESTER.id


# What is left out changes nothing ---------------------------------------------------------------------------------------------------


async def test_an_action_without_trace_run_or_reason_is_decided_like_any_other(world: World) -> None:
    """Compared by what is decided and carried out: an id that nobody gave neither blocks nor opens anything."""
    outcomes = []
    for fields in ({}, {"run_id": "run-1", "reason": "because"}, {"run_id": "", "reason": ""}):
        done = await world.run(notice("hello", **fields))
        waiting = await world.run(charge(**fields))
        blocked = await world.run(item("moyasar_charge", {"amount": "10.00"}, **fields))
        outcomes.append(
            [(one.state, one.action_class, one.mode, sorted(codes(one))) for one in (done, waiting, blocked)]
        )
    assert outcomes[0] == outcomes[1] == outcomes[2]
    assert [state for state, *_ in outcomes[0]] == [
        ActionState.SUCCEEDED,
        ActionState.AWAITING_APPROVAL,
        ActionState.REFUSED,
    ]
    assert [one.payload for one in world.wire.sent] == [{"text": "hello"}] * 3


async def test_where_nobody_may_approve_nothing_ever_leaves(world: World) -> None:
    """No reviewer is no permission: who asked may not, others lack the role, and time only ends it."""
    waiting = await world.run(email(world.contact()))
    asked = await world.approval_of(waiting)
    for nobody in (REQUESTER, person(71, "member"), person(72, "admin"), person(73, "auditor"), AGENT):
        with pytest.raises(RemoteFault):
            await world.gateway.call(APPROVE, vote(asked, nobody))
    for _ in range(10):
        world.clock.advance(days=1)
        await world.approving.tick()
        await world.approving.expire_overdue()
        await world.settle()
    assert (await world.action(waiting.action_id)).state is ActionState.EXPIRED
    assert world.wire.sent == []
