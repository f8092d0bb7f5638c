"""Policy bundles with their differences and replay reports, violations, receipts and reconciliation."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts import policy, receipts
from libs.contracts.errors import DealixError
from libs.contracts.execution import ActionItem, SubmitRequest
from libs.contracts.message import Page, new_id
from libs.contracts.subjects import (
    POLICY_BUNDLE,
    POLICY_BUNDLES,
    POLICY_DIFF,
    POLICY_PREPARE,
    POLICY_PROPOSE,
    POLICY_REPLAY,
    POLICY_REPLAY_CHANGES,
    POLICY_REPLAYS,
    POLICY_SHADOW,
    RECONCILIATION,
    SUBMIT,
    TOOL_RECEIPTS,
    VIOLATIONS,
)
from libs.contracts.trust import ResourceRef
from services.gateway.console import pages_policy as pages
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require

router = APIRouter()

Reading = require("evidence")
Proposing = require("propose")
Cursor = Annotated[str, Query(max_length=100)]
SHOWN_REPLAYS, SHOWN_CHANGES = 3, 50
REPLAYED = timedelta(days=30)


async def _list(desk: Desk, *, error: str = "", text: str = "", title: str = "", status: int = 200) -> Response:
    reply: policy.BundlesReply = await desk.call(
        POLICY_BUNDLES, policy.BundlesRequest(principal=desk.who, page=Page(limit=50))
    )
    may = allowed(desk.who, "propose") is not None
    return await desk.show(pages.PolicyPage(reply.items, may, error, text, title), status=status)


@router.get(PATHS["policy"], dependencies=[Reading])
async def bundles(desk: DeskDep) -> Response:
    return await _list(desk)


@router.post(PATHS["policy_propose"], dependencies=[Proposing])
async def propose(
    desk: DeskDep,
    text: Annotated[str, Form(max_length=policy.MOST_TEXT)],
    title: Annotated[str, Form(max_length=200)] = "",
) -> Response:
    """Propose a bundle. What is wrong with it is shown beside what was written."""
    request = policy.ProposeBundle(principal=desk.who, text=text, title=title)
    try:
        made: policy.PolicyBundle = await desk.call(POLICY_PROPOSE, request)
    except DealixError as error:
        return await _list(desk, error=desk.error(error), text=text, title=title, status=error.status)
    return desk.go("policy_bundle", made.version)


async def _bundle(desk: Desk, version: str, *, error: str = "", status: int = 200) -> Response:
    found: policy.PolicyBundle = await desk.call(
        POLICY_BUNDLE, policy.BundleRequest(principal=desk.who, version=version)
    )
    changes: policy.BundleDiff | None = None
    if found.state != "active":
        changes = await desk.call(POLICY_DIFF, policy.BundleDiffRequest(principal=desk.who, version=version))
    replays: policy.ReplaysReply = await desk.call(
        POLICY_REPLAYS, policy.ReplaysRequest(principal=desk.who, bundle=found.version, page=Page(limit=SHOWN_REPLAYS))
    )
    shown = tuple([await _replay(desk, one) for one in replays.items])
    may = allowed(desk.who, "propose") is not None
    return await desk.show(pages.PolicyBundlePage(found, changes, shown, may, error), status=status)


async def _replay(desk: Desk, one: policy.Replay) -> pages.ReplayShown:
    request = policy.ReplayChangesRequest(
        principal=desk.who, replay_id=one.replay_id, kind="newly_allowed", page=Page(limit=SHOWN_CHANGES)
    )
    changes: policy.ReplayChangesReply = await desk.call(POLICY_REPLAY_CHANGES, request)
    days = one.report.get("approvals_per_day", ())
    peak = max([max(int(day["before"]), int(day["after"])) for day in days], default=0)
    return pages.ReplayShown(one, changes.items, peak)


@router.get(PATHS["policy_bundle"], dependencies=[Reading])
async def bundle(id: str, desk: DeskDep) -> Response:
    return await _bundle(desk, id)


@router.post(PATHS["policy_replay"], dependencies=[Proposing])
async def replay(id: str, desk: DeskDep) -> Response:
    """Decide the last 30 days again under the bundle."""
    now = desk.gateway.now()
    request = policy.ReplayRequest(principal=desk.who, bundle=id, since=now - REPLAYED, until=now)
    try:
        await desk.call(POLICY_REPLAY, request)
    except DealixError as error:
        return await _bundle(desk, id, error=desk.error(error), status=error.status)
    return desk.go("policy_bundle", id)


@router.post(PATHS["policy_shadow"], dependencies=[Proposing])
async def shadow(id: str, desk: DeskDep, on: Annotated[str, Form(max_length=5)] = "yes") -> Response:
    try:
        await desk.call(POLICY_SHADOW, policy.ShadowBundle(principal=desk.who, version=id, on=on == "yes"))
    except DealixError as error:
        return await _bundle(desk, id, error=desk.error(error), status=error.status)
    return desk.go("policy_bundle", id)


@router.post(PATHS["policy_activate"], dependencies=[Proposing])
async def activate(
    id: str,
    desk: DeskDep,
    replay_id: Annotated[UUID, Form()],
    mode: Annotated[policy.ActivationMode, Form()] = policy.ActivationMode.FULL,
) -> Response:
    """Ask for the activation; from here on it is an approval like any other."""
    asked = policy.PrepareActivation(principal=desk.who, version=id, replay_id=replay_id, mode=mode)
    try:
        prepared: policy.PreparedActivation = await desk.call(POLICY_PREPARE, asked)
        item = ActionItem(
            action_id=new_id(), action_type="policy_activate", resource=ResourceRef(type="policy_bundle", id=id),
            payload=prepared.payload,
        )  # fmt: skip
        await desk.call(SUBMIT, SubmitRequest(principal=desk.who, items=(item,)))
    except DealixError as error:
        return await _bundle(desk, id, error=desk.error(error), status=error.status)
    return desk.go("approvals")


@router.get(PATHS["violations"], dependencies=[Reading])
async def violations(
    desk: DeskDep, policy_id: Annotated[str, Query(alias="policy", max_length=100)] = "", cursor: Cursor = ""
) -> Response:
    request = policy.ViolationsRequest(
        principal=desk.who, policy=policy_id or None, page=Page(limit=50, cursor=cursor or None)
    )
    reply: policy.ViolationsReply = await desk.call(VIOLATIONS, request)
    names = await desk.called(one.actor for one in reply.items)
    items = tuple(one.evolve(actor=names[one.actor]) for one in reply.items)
    following = url("violations", policy=policy_id, cursor=reply.next_cursor) if reply.next_cursor else ""
    return await desk.show(pages.ViolationsPage(items, reply.suspended, policy_id, following))


@router.get(PATHS["receipts"], dependencies=[Reading])
async def tool_receipts(desk: DeskDep, cursor: Cursor = "") -> Response:
    request = receipts.ToolReceiptsRequest(principal=desk.who, page=Page(limit=50, cursor=cursor or None))
    reply: receipts.ToolReceiptsReply = await desk.call(TOOL_RECEIPTS, request)
    looked: receipts.ReconciliationReply = await desk.call(
        RECONCILIATION, receipts.ReconciliationRequest(principal=desk.who)
    )
    names = await desk.called(one.actor for one in reply.items)
    items = tuple(one.evolve(actor=names[one.actor]) for one in reply.items)
    following = url("receipts", cursor=reply.next_cursor) if reply.next_cursor else ""
    return await desk.show(pages.ReceiptsPage(items, looked.runs, looked.orphans, following))
