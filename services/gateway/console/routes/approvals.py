"""The Approval Center: exactly what would run, and a vote for exactly that."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts import trust
from libs.contracts.catalogue.actions import Effect, effects
from libs.contracts.errors import DealixError
from libs.contracts.message import Page
from libs.contracts.subjects import (
    APPROVAL,
    APPROVALS,
    APPROVE,
    REJECT,
)
from services.gateway.console import pages, present, views
from services.gateway.console.desk import DeskDep
from services.gateway.console.present_disputes import disputes
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require

router = APIRouter()

Text = Annotated[str, Form(max_length=2000)]
Reading = require("read", reading=True)


@router.get(PATHS["approvals"], dependencies=[Reading])
async def approvals(
    desk: DeskDep,
    state: Annotated[str, Query(max_length=20)] = "pending",
    q: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    wanted = trust.ApprovalState(state) if state in list(trust.ApprovalState) else None
    reply = await desk.call(APPROVALS, trust.ApprovalsRequest(principal=desk.who, state=wanted, page=Page(limit=100)))
    may = allowed(desk.who, "approve") is not None
    now = desk.gateway.now()
    cards = tuple(present.approval_card(desk.lang, one, now, may_decide=may, reader=desk.who.id) for one in reply.items)
    if q.strip():
        cards = tuple(card for card in cards if q.strip().casefold() in f"{card.title} {card.reason}".casefold())
    named = (
        ("pending", "بانتظار قرار", "Waiting"),
        ("approved", "موافق عليها", "Approved"),
        ("rejected", "مرفوضة", "Rejected"),
        ("all", "الكل", "All"),
    )
    tabs = tuple(views.Tab(key, desk.say(ar, en), url("approvals", state=key), key == state) for key, ar, en in named)
    empty = "no_match" if q.strip() else "all_done" if state == "pending" else "none_yet"
    return await desk.show(pages.ApprovalsPage(cards=cards, tabs=tabs, state=state, query=q, empty=empty))  # type: ignore[arg-type]  # one of three


async def _approval(desk: DeskDep, id: UUID) -> trust.Approval:
    found: trust.Approval = await desk.call(APPROVAL, trust.ApprovalRequest(principal=desk.who, approval_id=id))
    return found


def _card(desk: DeskDep, approval: trust.Approval) -> views.Card:
    may = allowed(desk.who, "approve") is not None
    return present.approval_card(desk.lang, approval, desk.gateway.now(), may_decide=may, reader=desk.who.id)


@router.get(PATHS["approval"], dependencies=[Reading])
async def approval(id: UUID, desk: DeskDep) -> Response:
    found = await _approval(desk, id)
    view = found.view
    effect = effects().get(found.action_type)
    page = pages.ApprovalPage(
        card=_card(desk, found),
        view_hash=found.view_hash,
        policy_version=found.policy_version,
        action_type=found.action_type,
        action_class=_class(found, effect),
        requested_by=present.requested_by(desk.lang, found),
        requested_at=found.requested_at,
        reversibility=str(view[f"compensation_{desk.lang}"]),
        if_unanswered=str(view[f"if_nobody_answers_{desk.lang}"]),
        reasons=present.reasons(desk.lang, found),
        history=present.history(desk.lang, found, await _names(desk, found)),
        compensation=str(view[f"compensation_{desk.lang}"]),
        cannot_decide=_cannot_decide(desk, found),
        disputes=disputes(desk.lang, found, await _names(desk, found)),
    )
    return await desk.show(page)


def _class(found: trust.Approval, effect: Effect | None) -> str:
    """The class it is decided as: what needs a person although its effect is harmless has been raised from A to B."""
    if effect is None:
        return ""
    raised = effect.action_class is trust.ActionClass.A and _raised(found)
    return (trust.ActionClass.B if raised else effect.action_class).value


def _raised(found: trust.Approval) -> bool:
    codes = {str(reason["code"]) for reason in found.view.get("reasons") or []}
    return bool(
        found.view.get("contradictions") or codes & {"screening_review", "subject_quarantined", "agent_low_trust"}
    )


def _cannot_decide(desk: DeskDep, found: trust.Approval) -> str:
    """Why this reader is not asked; empty when the buttons are theirs."""
    if allowed(desk.who, "approve") is None:
        return desk.say("القرار للمالك أو المعتمِد.", "The owner or an approver decides.")
    done = len(present.voted(found))
    if found.state is trust.ApprovalState.PENDING and desk.who.id in present.voted(found):
        return desk.say(
            f"سُجّلت موافقتك ({done} من {found.approvers}). ينتظر الطلب شخصًا آخر.",
            f"Your approval is recorded ({done} of {found.approvers}). The request waits for another person.",
        )
    return ""


async def _names(desk: DeskDep, found: trust.Approval) -> dict[str, str]:
    if desk.caller is None:
        return {}
    said = (c["recorded_by"] for one in found.view.get("contradictions") or [] for c in one["claims"])
    return await desk.called((*(step.actor for step in found.history), *said))


@router.get(PATHS["approval_confirm"], dependencies=[require("approve")])
async def approval_confirm(id: UUID, desk: DeskDep, error: str = "") -> Response:
    return await _confirm(desk, await _approval(desk, id))


async def _confirm(
    desk: DeskDep, found: trust.Approval, *, error: str = "", note: str = "", status: int = 200
) -> Response:
    card = _card(desk, found)
    page = pages.ConfirmPage(
        card=card,
        view_hash=found.view_hash,
        target=card.title,
        irreversibility=str(found.view[f"compensation_{desk.lang}"]),
        amount=present.amount(found.value_sar),
        error=error,
        note=note,
        needs_password=found.requester == desk.who.id,
        disputes=disputes(desk.lang, found, await _names(desk, found)),
    )
    return await desk.show(page, status=status)


@router.post(PATHS["approval_approve"], dependencies=[require("approve")])
async def approval_approve(
    id: UUID, desk: DeskDep, payload_hash: Text, view_hash: Text, note: Text = "", password: Text = ""
) -> Response:
    """A vote for exactly what the form showed; anything else is a conflict, shown with its difference."""
    found = await _approval(desk, id)
    if found.state is trust.ApprovalState.PENDING and (payload_hash, view_hash) != (
        found.payload_hash,
        found.view_hash,
    ):
        return await _conflict(desk, found, payload_hash)
    try:
        if password and desk.caller is not None:
            await desk.gateway.authentication.again(desk.caller.user, password)
        request = trust.ApproveRequest(
            principal=desk.who,
            approval_id=id,
            payload_hash=payload_hash,
            view_hash=view_hash,
            note=note,
            reauthenticated=bool(password),
        )
        await desk.call(APPROVE, request)
    except DealixError as error:
        if error.code == "stale_hash":
            return await _conflict(desk, await _approval(desk, id), payload_hash)
        if error.code in ("approval_not_pending", "already_voted"):
            return desk.go("approval", str(id))
        return await _confirm(desk, found, error=desk.error(error), note=note, status=error.status)
    desk.gateway.pulse.nudge(desk.who.tenant_id, "approvals")
    desk.gateway.pulse.nudge(desk.who.tenant_id, "cards")
    return desk.go("approval", str(id))


async def _conflict(desk: DeskDep, found: trust.Approval, shown: str) -> Response:
    page = pages.ConflictPage(
        card=_card(desk, found),
        changes=(),
        shown_hash=shown,
        current_hash=found.payload_hash,
        superseded_by=str(found.superseded_by or ""),
    )
    return await desk.show(page, status=409)


@router.get(PATHS["approval_reject"], dependencies=[require("approve")])
async def approval_reject_page(id: UUID, desk: DeskDep) -> Response:
    return await desk.show(pages.RejectPage(card=_card(desk, await _approval(desk, id))))


@router.post(PATHS["approval_reject"], dependencies=[require("approve")])
async def approval_reject(id: UUID, desk: DeskDep, reason: Text = "") -> Response:
    if len(reason.strip()) < 3:
        error = desk.say("اكتب سبب الرفض؛ يقرؤه مقدّم الطلب.", "Write why; the requester reads it.")
        return await desk.show(
            pages.RejectPage(card=_card(desk, await _approval(desk, id)), reason=reason, error=error), status=422
        )
    await desk.call(REJECT, trust.RejectRequest(principal=desk.who, approval_id=id, reason=reason.strip()))
    desk.gateway.pulse.nudge(desk.who.tenant_id, "approvals")
    return desk.go("approval", str(id))
