"""Actions: what became of each, and what a person does about one: say what nobody else knows, or have it undone."""

from __future__ import annotations

import json
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts import execution, settling
from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.words import effect_title, word
from libs.contracts.errors import DealixError
from libs.contracts.execution import Action, ActionState
from libs.contracts.message import Page
from libs.contracts.settling import CompensationPlan, KnownOutcome
from libs.contracts.subjects import ACTION, ACTIONS, COMPENSATE, COMPENSATION, SETTLE_UNKNOWN
from services.gateway.console import present
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab, Tone
from services.gateway.http.guards import allowed, require

router = APIRouter()
READING = require("read", reading=True)
ACTING = require("submit")
TONES: dict[ActionState, Tone] = {
    ActionState.UNKNOWN: "high", ActionState.FAILED: "high", ActionState.AWAITING_APPROVAL: "medium", ActionState.NOT_SENT: "medium",
    ActionState.SUCCEEDED: "low", ActionState.COMPENSATED: "low",
}  # fmt: skip
TABS = (
    ActionState.UNKNOWN, ActionState.FAILED, ActionState.AWAITING_APPROVAL, ActionState.SUCCEEDED, ActionState.COMPENSATED, ActionState.REFUSED,
)  # fmt: skip
OUTCOMES = {
    KnownOutcome.SUCCEEDED: ("نُفّذ فعلًا", "It did happen"),
    KnownOutcome.NOT_SENT: ("لم يُنفّذ", "It did not happen"),
}
UNDOING = {
    "R0": ("لا شيء يحتاج تراجعًا.", "Nothing to undo."), "R1": ("يمكن التراجع عنه كاملًا.", "It can be undone."),
    "R2": ("يمكن التراجع عنه جزئيًا.", "It can be undone in part."), "R3": ("لا يمكن التراجع عنه.", "It cannot be undone."),
}  # fmt: skip
LEAST = 10
"""Characters of evidence that a settled outcome needs, as execution asks."""


@router.get(PATHS["actions"], dependencies=[READING])
async def actions(
    desk: DeskDep, state: ActionState | None = None, cursor: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    request = execution.ActionsRequest(principal=desk.who, state=state, page=Page(cursor=cursor or None))
    found: execution.ActionsReply = await desk.call(ACTIONS, request)
    title = desk.say("الإجراءات", "Actions")
    rows = tuple(
        (
            Cell(_what(desk, one), href=url("action", str(one.action_id))), _state(desk, one.state),
            Cell(f"{one.resource.type}:{one.resource.id}", "ltr"), Cell(one.requested_by, "ltr"),
        )
        for one in found.items
    )  # fmt: skip
    more = url("actions", state=state, cursor=found.next_cursor) if found.next_cursor else ""
    section = Section(
        title,
        desk.say(
            "ما نتيجته غير معروفة لا يُعاد تلقائيًا أبدًا: تحقّق منه عند المزوّد ثم احسمه هنا.",
            "What has an unknown outcome is never tried again by itself: look it up at the vendor, then settle it here.",
        ),
        columns=(desk.say("الإجراء", "Action"), desk.say("الحالة", "State"), desk.say("بشأن", "About"), desk.say("طلبه", "Asked by")),
        rows=rows, empty=desk.say("لا إجراءات بهذه الحالة.", "No action is in this state."),
        links={desk.say("المزيد", "More"): more} if more else {},
    )  # fmt: skip
    tabs = (
        Tab("all", desk.say("الكل", "All"), url("actions"), state is None),
        *(
            Tab(one.value, _word(desk, one), url("actions", state=one.value), state is one) for one in TABS
        ),
    )  # fmt: skip
    return await desk.show(DeskPage("actions", title, (section,), tabs, desk.say("الحالات", "States")))


@router.get(PATHS["action"], dependencies=[READING])
async def action(id: UUID, desk: DeskDep) -> Response:
    found: CompensationPlan = await desk.call(COMPENSATION, settling.CompensationGet(principal=desk.who, action_id=id))
    sections = (
        _standing(desk, found.action), _timeline(desk, found.action), _next(desk, found),
        _content(desk, desk.say("المحتوى", "Payload"), found.action.payload),
    )  # fmt: skip
    return await _page(desk, found.action, *sections)


async def _page(desk: Desk, found: Action, *sections: Section, error: str = "", status: int = 200) -> Response:
    page = DeskPage(
        "actions", _what(desk, found), sections, error=error, back=url("actions"), back_label=desk.say("الإجراءات", "Actions")
    )  # fmt: skip
    return await desk.show(page, status=status)


def _standing(desk: Desk, found: Action) -> Section:
    facts = [
        (desk.say("الحالة", "State"), _state(desk, found.state)),
        (desk.say("بشأن", "About"), Cell(f"{found.resource.type}:{found.resource.id}", "ltr")),
        (desk.say("طلبه", "Asked by"), Cell(found.requested_by, "ltr")),
        (desk.say("المعرّف", "Id"), Cell(str(found.action_id), "ltr")),
    ]
    if found.receipt is not None:
        facts.append((desk.say("رقم المزوّد", "Vendor's number"), Cell(found.receipt.vendor_id, "ltr")))
    facts += [(desk.say("السبب", "Why"), Cell(desk.say(one.ar, one.en))) for one in found.reasons]
    if found.approval_id is not None:
        facts.append(
            (
                desk.say("الموافقة", "Approval"),
                Cell(str(found.approval_id), "ltr", url("approval", str(found.approval_id))),
            )
        )
    return Section(
        desk.say("الوضع", "Standing"), facts=tuple(facts),
        links={desk.say("الدليل في دفتر الإثبات", "Its evidence"): url("evidence", q=f"action:{found.action_id}")},
    )  # fmt: skip


def _content(desk: Desk, title: str, payload: dict[str, Any]) -> Section:
    """A payload by its fields, whole, and then as it stands."""
    facts = tuple(
        (present.field_label(desk.lang, path) or path, Cell(value)) for path, value in present.leaves(payload)
    )
    return Section(title, facts=facts, code=json.dumps(payload, ensure_ascii=False, separators=(",", ":")))


def _timeline(desk: Desk, found: Action) -> Section:
    why = {one.code: desk.say(one.ar, one.en) for one in found.reasons}
    rows = tuple(
        (Cell(one.at, "moment"), Cell(_stage(desk, one.state)), Cell(why.get(one.detail, one.detail), "text" if one.detail in why else "ltr"))
        for one in found.timeline
    )  # fmt: skip
    columns = (desk.say("الوقت", "When"), desk.say("الحالة", "State"), desk.say("التفصيل", "Detail"))
    return Section(desk.say("ما حدث", "What happened"), columns=columns, rows=rows)


def _next(desk: Desk, plan: CompensationPlan) -> Section:
    """What a person may do about it now, each on a page of its own that says first what it does."""
    title, id = desk.say("ماذا تفعل", "What to do"), str(plan.action.action_id)
    if plan.begun is not None:
        said, shown = desk.say("التراجع عنه: {state}.", "Undoing it: {state}."), _word(desk, plan.begun.state)
        link = {
            desk.say("إجراء التراجع", "The action that undoes it"): url(
                "action", str(plan.begun.compensating_action_id)
            )
        }
        return Section(title, said.format(state=shown), links=link)
    if allowed(desk.who, "submit") is None:
        return Section(title, desk.say("لا شيء يُنتظر منك هنا.", "Nothing is asked of you here."))
    if plan.action.state is ActionState.UNKNOWN:
        text = desk.say(
            "لا أحد يعرف هل نُفّذ هذا الإجراء. تحقّق عند المزوّد ثم احسم نتيجته.",
            "Nobody knows whether this happened. Look it up at the vendor, then settle it.",
        )
        return Section(title, text, links={desk.say("احسم النتيجة", "Settle the outcome"): url("action_settle", id)})
    if plan.refused is not None:
        return Section(title, desk.say(plan.refused.ar, plan.refused.en))
    text = desk.say(
        "يمكن التراجع عنه بإجراء آخر يمر بالسياسة والموافقة.",
        "It can be undone by another action, decided like any other.",
    )
    return Section(
        title, text, links={desk.say("اعرض ما سيُتراجع عنه", "See what would be undone"): url("action_undo", id)}
    )


# -- settling -----------------------------------------------------------------------------------------------------------


@router.get(PATHS["action_settle"], dependencies=[ACTING])
async def settle_form(id: UUID, desk: DeskDep) -> Response:
    return await _settling(desk, id)


async def _settling(
    desk: Desk, id: UUID, outcome: KnownOutcome | None = None, evidence: str = "", *, error: str = "", status: int = 200
) -> Response:
    """First what was found out and how; with both, the same once more to be confirmed."""
    found: Action = await desk.call(ACTION, execution.ActionGet(principal=desk.who, action_id=id))
    if outcome is None or error:
        options = tuple((one.value, desk.say(*words)) for one, words in OUTCOMES.items())
        asked = DeskForm(
            "settle", url("action_settle", str(id)), desk.say("تابع", "Go on"),
            (
                Input("outcome", desk.say("ما الذي تبيّن؟", "What did you find?"), "select", outcome.value if outcome else "", options=options),
                Input("evidence", desk.say("كيف عرفت؟ (10 أحرف على الأقل)", "How do you know? (10 characters at least)"), "long", evidence),
            ),
        )  # fmt: skip
        text = desk.say("ما تكتبه يُحفظ باسمك في دفتر الإثبات.", "What you write is kept in the ledger under your name.")
        section = Section(desk.say("حسم النتيجة", "Settle the outcome"), text, forms=(asked,))
        return await _page(desk, found, _standing(desk, found), section, error=error, status=status)
    means = {
        KnownOutcome.SUCCEEDED: ("يُغلق الإجراء على أنه نُفّذ، ولا يُعاد.", "The action is closed as done and is not tried again."),
        KnownOutcome.NOT_SENT: (
            "يُغلق على أنه لم يُنفّذ، ويصبح رسالة متعذّرة يمكن إعادة محاولتها.", "It is closed as not done, and becomes a dead letter that can be tried again.",
        ),
    }[outcome]  # fmt: skip
    sure = DeskForm(
        "confirm", url("action_settle", str(id)), desk.say("احسم النتيجة نهائيًا", "Settle it for good"),
        (
            Input("outcome", "", "hidden", outcome.value), Input("evidence", "", "hidden", evidence), Input("confirmed", "", "hidden", "yes"),
        ),
        danger=True,
    )  # fmt: skip
    facts = (
        (desk.say("ما تبيّن", "What you found"), Cell(desk.say(*OUTCOMES[outcome]), tone="medium")),
        (desk.say("كيف عرفت", "How you know"), Cell(evidence)),
        (desk.say("ما يترتب عليه", "What follows"), Cell(desk.say(*means))),
        (desk.say("هل يُتراجع عن الحسم؟", "Can this be taken back?"), Cell(desk.say("لا.", "No."))),
    )
    section = Section(desk.say("تأكيد", "Confirm"), facts=facts, forms=(sure,))
    return await _page(desk, found, _standing(desk, found), section)


@router.post(PATHS["action_settle"], dependencies=[ACTING])
async def settle(
    id: UUID,
    desk: DeskDep,
    outcome: Annotated[KnownOutcome, Form()],
    evidence: Annotated[str, Form(max_length=2000)] = "",
    confirmed: Annotated[str, Form(max_length=10)] = "",
) -> Response:
    text = evidence.strip()
    if len(text) < LEAST:
        said = desk.say("اكتب كيف عرفت، في 10 أحرف على الأقل.", "Write how you know, in 10 characters at least.")
        return await _settling(desk, id, outcome, text, error=said, status=422)
    if confirmed != "yes":
        return await _settling(desk, id, outcome, text)
    asked = settling.SettleUnknown(principal=desk.who, action_id=id, outcome=outcome, evidence=text)
    try:
        await desk.call(SETTLE_UNKNOWN, asked)
    except DealixError as error:
        return await _settling(desk, id, outcome, text, error=desk.error(error), status=error.status)
    return desk.go("action", str(id))


# -- undoing ------------------------------------------------------------------------------------------------------------


@router.get(PATHS["action_undo"], dependencies=[ACTING])
async def undo_form(id: UUID, desk: DeskDep) -> Response:
    return await _undo(desk, id)


async def _undo(desk: Desk, id: UUID, *, error: str = "", status: int = 200) -> Response:
    """What was done, what would be done to undo it, and only then the question."""
    plan: CompensationPlan = await desk.call(COMPENSATION, settling.CompensationGet(principal=desk.who, action_id=id))
    if plan.begun is not None or plan.refused is not None:
        return await _page(
            desk, plan.action, _standing(desk, plan.action), _next(desk, plan), error=error, status=status
        )
    effect = effects().get(plan.action_type)
    facts = [
        (desk.say("بماذا يُتراجع", "How it is undone"), Cell(_title(desk, plan.action_type), tone="medium")),
    ]
    if effect is not None:
        facts.append((desk.say("عدد المعتمدين", "Approvers"), Cell(str(effect.approvers), "ltr")))
        facts.append((desk.say("بعد التراجع", "After that"), Cell(desk.say(*UNDOING[effect.reversibility]))))
    form = DeskForm(
        "undo", url("action_undo", str(id)), desk.say("اطلب التراجع", "Ask to undo it"),
        (Input("reason", desk.say("لماذا؟ يقرؤه المعتمِد", "Why? The approver reads it"), "long"),), danger=True,
    )  # fmt: skip
    section = Section(
        desk.say("ما سيُنفّذ للتراجع", "What would be done to undo it"),
        desk.say("هذا إجراء مستقل يمر بالسياسة والموافقة، ولا يُنفّذ شيء قبلهما.", "It is an action of its own: policy and people decide it before anything happens."),
        facts=tuple(facts), forms=(form,),
    )  # fmt: skip
    content = _content(desk, desk.say("محتوى إجراء التراجع", "Payload of what undoes it"), plan.payload)
    return await _page(desk, plan.action, _standing(desk, plan.action), section, content, error=error, status=status)


@router.post(PATHS["action_undo"], dependencies=[ACTING])
async def undo(id: UUID, desk: DeskDep, reason: Annotated[str, Form(max_length=2000)] = "") -> Response:
    if not reason.strip():
        return await _undo(desk, id, error=desk.say("اكتب سبب التراجع.", "Write why you undo it."), status=422)
    try:
        begun = await desk.call(
            COMPENSATE, settling.Compensate(principal=desk.who, action_id=id, reason=reason.strip())
        )
    except DealixError as error:
        return await _undo(desk, id, error=desk.error(error), status=error.status)
    desk.gateway.pulse.nudge(desk.who.tenant_id, "approvals", "ledger")
    return desk.go("action", str(begun.compensating_action_id))


# -- words --------------------------------------------------------------------------------------------------------------


def _what(desk: Desk, one: Action) -> str:
    return _title(desk, one.action_type)


def _title(desk: Desk, action_type: str) -> str:
    title = effect_title(action_type)
    return desk.say(title.ar, title.en)


def _word(desk: Desk, state: ActionState) -> str:
    return _stage(desk, state.value)


def _stage(desk: Desk, state: str) -> str:
    text = word("action_state", state)
    return desk.say(text.ar, text.en)


def _state(desk: Desk, state: ActionState) -> Cell:
    return Cell(_word(desk, state), tone=TONES.get(state, "neutral"))
