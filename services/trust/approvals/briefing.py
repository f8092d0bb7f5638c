"""Approvals over WhatsApp: a brief of whole requests, and replies that count for exactly what it showed, once."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from libs.contracts.briefs import (
    ApprovalBrief,
    BriefAnswer,
    BriefWaiting,
    BriefWaitingReply,
    MakeBrief,
    ReplyOutcome,
    WaitingApproval,
    WhatsAppReply,
)
from libs.contracts.errors import Conflict, DealixError, Forbidden
from libs.contracts.message import Principal, PrincipalKind, Text
from libs.contracts.trust import Approval, ApproveRequest, RejectRequest
from services.trust.approvals.domain import brief
from services.trust.approvals.domain.rights import right_for, value_of, voters
from services.trust.approving import refuse, vote
from services.trust.domain.approvals import require_approver
from services.trust.ledger.domain.entry import Entry
from services.trust.store import Store, Unit

MOST_WAITING = 200
LONGEST_REASON = 2000


class OnlyInTheConsole(Forbidden):
    def __init__(self) -> None:
        super().__init__(
            "only_in_console",
            "This request is decided in the console: WhatsApp decides up to medium risk, alone, and only what fits whole.",
            "يُحسم هذا الطلب في المنصة: واتساب لما مخاطرته متوسطة فأقل، ويحسمه شخص واحد، ويظهر كاملًا في الرسالة.",
        )


class BriefTaken(Conflict):
    def __init__(self) -> None:
        super().__init__("brief_taken", "This brief is another person's.", "هذا الموجز لشخص آخر.")


class Briefing:
    def __init__(self, store: Store) -> None:
        self._store = store

    async def make(self, request: MakeBrief) -> ApprovalBrief:
        """What waits for this person and may be decided in WhatsApp. Raises Forbidden, BriefTaken."""
        who = request.principal
        require_approver(who)
        async with self._store.unit(who.tenant_id) as unit:
            kept = await unit.desk.brief(who.tenant_id, request.brief_id)
            if kept is not None:
                if kept.person != who.id:
                    raise BriefTaken
                return kept
            now = await unit.now()
            mine = [one for one in await _mine(unit, who, now) if not request.only or one.approval_id in request.only]
            text, items = brief.render(request.brief_id, mine)
            made = ApprovalBrief(
                brief_id=request.brief_id, tenant_id=who.tenant_id, person=who.id, text=text, items=items,
                left=len(mine) - len(items), made_at=now, expires_at=now + brief.LIFETIME,
            )  # fmt: skip
            await unit.desk.keep_brief(made)
            shown = [{"approval_id": str(i.approval_id), "view_hash": i.view_hash, "code": i.code} for i in items]
            await _record(
                unit, who, "approval.brief_shown", f"brief:{made.brief_id}", now, shown=shown, channel="whatsapp"
            )
        return made

    async def waiting(self, request: BriefWaiting) -> BriefWaitingReply:
        """What a brief for this person could show now. Raises Forbidden."""
        who = request.principal
        require_approver(who)
        async with self._store.unit(who.tenant_id) as unit:
            mine = await _mine(unit, who, await unit.now())
        return BriefWaitingReply(
            items=tuple(
                WaitingApproval(
                    approval_id=one.approval_id,
                    action_type=one.action_type,
                    risk=one.risk,
                    requested_at=one.requested_at,
                )
                for one in mine
                if brief.short_enough(one)
            )
        )

    async def reply(self, request: WhatsAppReply) -> BriefAnswer:
        """Take a reply. The same message again does nothing and gets the same answer. A refusal is an answer too: the person who wrote
        has to read it. Raises Forbidden for anybody who is not a person."""
        who = request.principal
        if who.kind is not PrincipalKind.USER:
            raise Forbidden
        async with self._store.unit(who.tenant_id) as unit:
            if not await unit.desk.claim_reply(who.tenant_id, request.message_id, who.id):
                kept = await unit.desk.answer(who.tenant_id, request.message_id)
                if kept is None:
                    raise Forbidden  # another person's message under the same id
                again: BriefAnswer = kept.evolve(repeated=True)
                return again
            now = await unit.now()
            answer = await _answer(unit, request, now)
            await unit.desk.keep_answer(who.tenant_id, request.message_id, answer)
            if answer.outcome in (ReplyOutcome.UNCLEAR, ReplyOutcome.REFUSED):
                about = f"approval:{answer.approval_id}" if answer.approval_id else f"person:{who.id}"
                await _record(
                    unit, who, f"approval.reply_{answer.outcome.value}", about, now, channel="whatsapp", code=answer.code,
                    message_id=request.message_id,
                )  # fmt: skip
        return answer


async def _answer(unit: Unit, request: WhatsAppReply, now: datetime) -> BriefAnswer:
    who = request.principal
    briefs = [one for one in await unit.desk.briefs(who.tenant_id, who.id) if now < one.expires_at]
    choice = brief.parse(request.text, briefs)
    if choice is None:
        return _unclear(briefs)
    if choice.verdict == "reject" and not choice.reason:
        return BriefAnswer(
            outcome=ReplyOutcome.UNCLEAR, code="reason_missing", approval_id=choice.item.approval_id,
            answer=Text(en=f"A rejection needs its reason: reject {choice.item.code} and the reason. Nothing was decided.",
                        ar=f"الرفض يحتاج سببه: «رفض {choice.item.code} السبب». لم يُتخذ أي قرار."),
        )  # fmt: skip
    extra = {"channel": "whatsapp", "message_id": request.message_id}
    try:
        await _take(unit, who, choice, extra)
    except DealixError as error:
        # Every one of these is raised before anything is written.
        return BriefAnswer(
            outcome=ReplyOutcome.REFUSED,
            code=error.code,
            approval_id=choice.item.approval_id,
            answer=Text(en=error.en, ar=error.ar),
        )
    code = choice.item.code
    done, said = (
        (ReplyOutcome.APPROVED, Text(en=f"Approved: {code}.", ar=f"وصلت موافقتك على {code}."))
        if choice.verdict == "approve"
        else (ReplyOutcome.REJECTED, Text(en=f"Rejected: {code}.", ar=f"سُجّل رفضك لـ{code}."))
    )
    return BriefAnswer(outcome=done, answer=said, approval_id=choice.item.approval_id, code=code)


async def _take(unit: Unit, who: Principal, choice: brief.Choice, extra: dict[str, Any]) -> None:
    item = choice.item
    if choice.verdict == "reject":
        wanted = RejectRequest(principal=who, approval_id=item.approval_id, reason=choice.reason[:LONGEST_REASON])
        await refuse(unit, wanted, extra)
        return
    require_approver(who)
    found = await unit.approval(who.tenant_id, item.approval_id, lock=True)
    if found is not None and not brief.short_enough(found[0]):
        raise OnlyInTheConsole
    # The hashes are those of the message that the person saw. A number is no second sign-in: `reauthenticated` stays false, and
    # what asks for one is refused.
    await vote(
        unit,
        ApproveRequest(
            principal=who, approval_id=item.approval_id, payload_hash=item.payload_hash, view_hash=item.view_hash
        ),
        extra,
    )  # fmt: skip


def _unclear(briefs: list[ApprovalBrief]) -> BriefAnswer:
    items = briefs[0].items if briefs else ()
    if not items:
        answer = Text(
            en="No request is open in this conversation. Nothing was decided.",
            ar="لا يوجد طلب مفتوح في هذه المحادثة، ولم يُتخذ أي قرار.",
        )
        return BriefAnswer(outcome=ReplyOutcome.UNCLEAR, code="no_open_brief", answer=answer)
    how = brief.how_to(len(items), items[0].code)
    answer = Text(
        en=f"Your answer wasn't clear, so nothing was decided. {how.en}.",
        ar=f"لم يتضح الرد، فلم يُتخذ أي قرار. {how.ar}.",
    )
    return BriefAnswer(outcome=ReplyOutcome.UNCLEAR, code="unclear", answer=answer)


async def _mine(unit: Unit, who: Principal, now: datetime) -> list[Approval]:
    """Requests that this person may vote on now, the one due first at the head."""
    pending = await unit.desk.waiting(who.tenant_id, MOST_WAITING)
    rules = (await unit.desk.rules(who.tenant_id)).rules
    lent = await unit.desk.lent_to(who.tenant_id, who.id)
    mine = []
    for one in pending:
        if one.requester == who.id or now >= one.expires_at or who.id in voters(one):
            continue
        try:
            right_for(one, who, lent, rules, value_of(json.loads(one.payload)), now)
        except Forbidden:
            continue
        mine.append(one)
    return mine


async def _record(unit: Unit, who: Principal, kind: str, target: str, at: datetime, **data: Any) -> None:
    await unit.append([Entry(tenant_id=who.tenant_id, kind=kind, actor=who.id, target=target, at=at, data=data)])
