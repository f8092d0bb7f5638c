"""Policy work: bundles and their differences, replays, activation through an approval, explanations, violations."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from libs.contracts import policy
from libs.contracts.execution import ActionItem, ActionState, SubmitRequest
from libs.contracts.message import Principal, Reason
from libs.contracts.policy import ActivationMode, BundleDiff, PolicyBundle, Replay, ReplayChange, Violation
from libs.contracts.subjects import (
    POLICY_BUNDLE,
    POLICY_BUNDLES,
    POLICY_DIFF,
    POLICY_EXPLAIN,
    POLICY_PREPARE,
    POLICY_PROPOSE,
    POLICY_REPLAY,
    POLICY_REPLAY_CHANGES,
    POLICY_REPLAY_GET,
    POLICY_REPLAYS,
    POLICY_SHADOW,
    SUBMIT,
    VIOLATIONS,
)
from libs.contracts.trust import ResourceRef
from services.gateway.http.access import Question, evaluation_of
from services.gateway.http.actions import refused
from services.gateway.http.bodies import Body, Id, Items, Moment, Note, PagingDep, items
from services.gateway.http.bodies import Request as RequestBody
from services.gateway.http.context import GatewayDep
from services.gateway.http.guards import CallerDep, IdsDep, require
from services.gateway.http.problems import RESPONSES

router = APIRouter(prefix="/api/v1", tags=["trust"], responses=RESPONSES)

Reader = Annotated[Principal, require("evidence")]
Proposer = Annotated[Principal, require("propose")]
Anyone = Annotated[Principal, require("read", reading=True)]
Version = Annotated[str, Path(pattern=r"^([0-9a-f]{64}|active)$", description="a bundle's version, or `active`")]
Name = Annotated[str | None, Query(max_length=200)]
PolicyId = Annotated[str | None, Query(max_length=200, alias="policy")]


class Proposal(RequestBody):
    """Cedar: a tenant's additions, which may only forbid, or a whole bundle with every platform policy unchanged."""

    text: Annotated[str, Field(max_length=policy.MOST_TEXT)]
    title: Annotated[str, Field(max_length=200)] = ""


class ReplayOrder(RequestBody):
    """Decide again under `bundle` what was decided `from` … `to`."""

    bundle: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    since: Annotated[Moment, Field(alias="from")]
    until: Annotated[Moment, Field(alias="to")]


class CanaryBand(Body):
    """Where a canary has to stay; it rolls back by itself when it leaves."""

    max_deny_rate: Annotated[float, Field(ge=0, le=1)] = 0.5
    max_approvals_per_hour: Annotated[float, Field(ge=0)] = 100.0
    min_decisions: Annotated[int, Field(ge=1, le=100_000)] = 20


class Activation(RequestBody):
    """`canary` decides `percent` of the actions and rolls back when it leaves its band."""

    replay_id: Id
    mode: Annotated[ActivationMode, Field(strict=False)] = ActivationMode.FULL
    percent: Annotated[int, Field(ge=1, le=99)] = 10
    band: CanaryBand = CanaryBand()
    reason: Note = ""


class Shadow(RequestBody):
    on: bool = True


class Explanation(RequestBody):
    """An AuthZEN question; `bundle` asks another version than the one in force."""

    question: Question
    bundle: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None


class Requested(BaseModel):
    """The action that activates the bundle once people have approved it."""

    action_id: UUID
    state: ActionState
    payload: dict[str, Any]


class Explained(BaseModel):
    decision: bool
    outcome: str
    mode: str
    action_class: Annotated[str, Field(serialization_alias="class")]
    reasons: list[Reason]
    approval_required: bool
    policy_version: str
    question: dict[str, Any]
    policies: list[policy.PolicyRule]


class ViolationItems(Items[Violation]):
    suspended: list[policy.SuspendedAgent] = []


@router.get("/policy/bundles")
async def bundles(who: Reader, gateway: GatewayDep, paging: PagingDep) -> Items[PolicyBundle]:
    """The tenant's bundles, the newest first, and the platform's own."""
    reply = await gateway.bus.call(POLICY_BUNDLES, policy.BundlesRequest(principal=who, page=paging.page(gateway, who)))
    return items(gateway, who, reply.items, reply.next_cursor)


@router.post("/policy/bundles", status_code=201)
async def propose(body: Proposal, who: Proposer, gateway: GatewayDep) -> PolicyBundle:
    """Propose a bundle. It is parsed, validated and compared with the platform's policies; nothing is in force by it."""
    return await gateway.bus.call(POLICY_PROPOSE, policy.ProposeBundle(principal=who, text=body.text, title=body.title))


@router.get("/policy/bundles/{version}")
async def bundle(version: Version, who: Reader, gateway: GatewayDep) -> PolicyBundle:
    """One bundle with its policies and their text."""
    return await gateway.bus.call(POLICY_BUNDLE, policy.BundleRequest(principal=who, version=version))


@router.get("/policy/bundles/{version}/diff")
async def bundle_diff(
    version: Version,
    who: Reader,
    gateway: GatewayDep,
    against: Annotated[str | None, Query(pattern=r"^[0-9a-f]{64}$")] = None,
) -> BundleDiff:
    """What the bundle changes, against the one in force or another version."""
    return await gateway.bus.call(
        POLICY_DIFF, policy.BundleDiffRequest(principal=who, version=version, against=against)
    )


@router.post("/policy/bundles/{version}/shadow")
async def shadow(version: Version, body: Shadow, who: Proposer, gateway: GatewayDep) -> PolicyBundle:
    """Begin or end the comparison of live decisions with this bundle. Nothing is enforced by it."""
    return await gateway.bus.call(POLICY_SHADOW, policy.ShadowBundle(principal=who, version=version, on=body.on))


@router.post("/policy/bundles/{version}/activate", status_code=202)
async def activate(version: Version, body: Activation, who: Proposer, gateway: GatewayDep, ids: IdsDep) -> Requested:
    """Ask for a bundle's activation. Two people approve exactly this bundle with exactly this replay report."""
    asked = policy.PrepareActivation(
        principal=who, version=version, replay_id=body.replay_id, mode=body.mode, percent=body.percent,
        band=policy.Band(**body.band.model_dump()),
    )  # fmt: skip
    prepared = await gateway.bus.call(POLICY_PREPARE, asked)
    item = ActionItem(
        action_id=ids("action:0"), action_type="policy_activate", resource=ResourceRef(type="policy_bundle", id=version),
        payload=prepared.payload, reason=body.reason,
    )  # fmt: skip
    result = (await gateway.bus.call(SUBMIT, SubmitRequest(principal=who, items=(item,)))).results[0]
    if result.error is not None or result.state is None:
        raise refused(result.error or Reason(code="not_accepted", en="It was not accepted.", ar="لم يُقبل الطلب."))
    gateway.pulse.nudge(who.tenant_id, "approvals", "ledger")
    return Requested(action_id=item.action_id, state=result.state, payload=prepared.payload)


@router.post("/policy/explain")
async def explain(body: Explanation, who: Anyone, caller: CallerDep, gateway: GatewayDep) -> Explained:
    """What policy says of a hypothetical action: the deciding policies with their text, and the facts they looked at."""
    asked = await evaluation_of(gateway, caller, body.question)
    reply = await gateway.bus.call(
        POLICY_EXPLAIN, policy.ExplainRequest(principal=who, evaluation=asked, version=body.bundle)
    )
    decision = reply.decision
    return Explained(
        decision=decision.allowed, outcome=decision.outcome.value, mode=decision.mode.value,
        action_class=decision.action_class.value, reasons=list(decision.reasons), approval_required=decision.approval_required,
        policy_version=decision.policy_version, question=reply.question, policies=list(reply.policies),
    )  # fmt: skip


@router.post("/policy/replay", status_code=202)
async def replay(body: ReplayOrder, who: Proposer, gateway: GatewayDep) -> Replay:
    """Decide history again under a bundle. Runs in the background; ask for its progress."""
    asked = policy.ReplayRequest(principal=who, bundle=body.bundle, since=body.since, until=body.until)
    return await gateway.bus.call(POLICY_REPLAY, asked)


@router.get("/policy/replays")
async def replays(who: Reader, gateway: GatewayDep, paging: PagingDep, bundle: Name = None) -> Items[Replay]:
    """Replays, the newest first."""
    request = policy.ReplaysRequest(principal=who, bundle=bundle, page=paging.page(gateway, who))
    reply = await gateway.bus.call(POLICY_REPLAYS, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/policy/replays/{replay_id}")
async def replay_status(replay_id: UUID, who: Reader, gateway: GatewayDep) -> Replay:
    """A replay's progress and, once done, its report."""
    return await gateway.bus.call(POLICY_REPLAY_GET, policy.ReplayGet(principal=who, replay_id=replay_id))


@router.get("/policy/replays/{replay_id}/changes")
async def replay_changes(
    replay_id: UUID,
    who: Reader,
    gateway: GatewayDep,
    paging: PagingDep,
    kind: Annotated[str | None, Query(pattern="^newly_(allowed|blocked|parked)$")] = None,
) -> Items[ReplayChange]:
    """The decisions that would be others, one by one."""
    request = policy.ReplayChangesRequest(principal=who, replay_id=replay_id, kind=kind, page=paging.page(gateway, who))
    reply = await gateway.bus.call(POLICY_REPLAY_CHANGES, request)
    return items(gateway, who, reply.items, reply.next_cursor)


@router.get("/violations")
async def violations(
    who: Reader, gateway: GatewayDep, paging: PagingDep, actor: Name = None, policy_id: PolicyId = None
) -> ViolationItems:  # fmt: skip
    """Attempts that policy refused, the newest first, and the agents that are suspended for theirs."""
    request = policy.ViolationsRequest(principal=who, actor=actor, policy=policy_id, page=paging.page(gateway, who))
    reply = await gateway.bus.call(VIOLATIONS, request)
    page = items(gateway, who, reply.items, reply.next_cursor)
    return ViolationItems(items=page.items, next_cursor=page.next_cursor, suspended=list(reply.suspended))
