"""Contradictions: what is said of one subject and can't both hold, with who says it; a person decides which claim stands."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query
from starlette.responses import Response

from libs.contracts import claims
from libs.contracts.catalogue.claims import claim_keys
from libs.contracts.claims import WAITING, Claim, Contradiction, ContradictionState
from libs.contracts.errors import DealixError
from libs.contracts.message import Page
from libs.contracts.subjects import ACKNOWLEDGE, CONTRADICTION, CONTRADICTIONS, RESOLVE
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.present_disputes import said_in
from services.gateway.console.routes.compliance import Tone
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab
from services.gateway.http.guards import allowed, require

router = APIRouter()

READING = require("evidence")
DECIDING = require("approve")
STATES: dict[str, tuple[str, str, Tone]] = {
    "open": ("مفتوح", "Open", "high"), "acknowledged": ("قيد النظر", "Being looked into", "medium"),
    "resolved": ("محسوم", "Resolved", "low"), "accepted": ("مقبول كما هو", "Accepted", "neutral"),
}  # fmt: skip
KINDS = {
    "value": ("قيمة", "Value"), "policy": ("سياسة", "Policy"), "status": ("حالة", "Status"), "timeline": ("توقيت", "Timeline"),
    "ownership": ("مسؤولية", "Ownership"), "metric": ("مؤشر", "Metric"),
}  # fmt: skip
STANDINGS = {
    "current": ("معتمد", "Stands"),
    "replaced": ("حلّ محله غيره", "Replaced"),
    "refuted": ("غير صحيح", "Refuted"),
}
SEVERITIES: dict[str, tuple[str, str, Tone]] = {
    "high": ("عالية", "High", "high"), "medium": ("متوسطة", "Medium", "medium"), "low": ("منخفضة", "Low", "low"),
}  # fmt: skip
FOUND = {
    "write": ("عند تسجيل ادعاء", "When a claim was recorded"), "sweep": ("في المراجعة الدورية", "By the sweep"),
    "action": ("في محتوى إجراء", "In an action's payload"),
}  # fmt: skip
BOTH = "both"


@router.get(PATHS["contradictions"], dependencies=[READING])
async def contradictions(
    desk: DeskDep, state: ContradictionState | None = None, cursor: Annotated[str, Query(max_length=100)] = ""
) -> Response:
    request = claims.ContradictionsRequest(principal=desk.who, state=state, page=Page(cursor=cursor or None))
    found: claims.ContradictionsReply = await desk.call(CONTRADICTIONS, request)
    columns = (
        desk.say("الموضوع", "What"), desk.say("الادعاء الأول", "One says"), desk.say("الادعاء الثاني", "The other says"), desk.say("الحالة", "State"),
        desk.say("الخطورة", "Severity"), desk.say("بشأن", "Subject"), desk.say("فُتح", "Opened"),
    )  # fmt: skip
    more = url("contradictions", state=state, cursor=found.next_cursor) if found.next_cursor else ""
    section = Section(
        desk.say("التناقضات", "Contradictions"),
        desk.say(
            "ما دام التناقض غير محسوم، لا يُنفَّذ إجراء يخصّه إلا بموافقة شخص يرى الادعاءين.",
            "Until it is decided, whatever concerns it waits for a person, who is shown both claims.",
        ),
        columns=columns, rows=tuple(_row(desk, one) for one in found.items),
        empty=desk.say("لا تناقضات.", "No contradictions.") if state is None else desk.say("لا تناقضات بهذه الحالة.", "None in this state."),
        links={**({desk.say("المزيد", "More"): more} if more else {}), desk.say("ادعاءات مقترحة من النصوص", "Claims that texts suggest"): url("suggestions")},
    )  # fmt: skip
    tabs = (
        Tab("all", desk.say("الكل", "All"), url("contradictions"), state is None),
        *(
            Tab(key, desk.say(ar, en), url("contradictions", state=key), state is not None and state.value == key)
            for key, (ar, en, _) in STATES.items()
        ),
    )
    title = desk.say("التناقضات", "Contradictions")
    page = DeskPage("contradictions", title, (section,), tabs, desk.say("الحالات", "States"))
    return await desk.show(page)


def _row(desk: Desk, one: Contradiction) -> tuple[Cell, ...]:
    ar, en, tone = STATES[one.state.value]
    severe_ar, severe_en, severe = SEVERITIES[one.severity]
    first, second = one.claims
    return (
        Cell(_what(desk, one), href=url("contradiction", str(one.contradiction_id))), _value(desk, first), _value(desk, second),
        Cell(desk.say(ar, en), tone=tone), Cell(desk.say(severe_ar, severe_en), tone=severe), Cell(one.subject, "ltr"), Cell(one.opened_at, "moment"),
    )  # fmt: skip


def _what(desk: Desk, one: Contradiction) -> str:
    """What the two claims are about; dates that are in the wrong order are about two things."""
    named = [claim_keys()[key] for key in dict.fromkeys(claim.key for claim in one.claims)]
    return " / ".join(desk.say(key.ar, key.en) for key in named)


def _value(desk: Desk, claim: Claim) -> Cell:
    key = claim_keys()[claim.key]
    if claim.value in key.choices:
        en, ar = key.choices[claim.value]
        return Cell(desk.say(ar, en))
    return Cell(f"{claim.value} {claim.unit}".strip(), "ltr")


@router.get(PATHS["contradiction"], dependencies=[READING])
async def contradiction(id: UUID, desk: DeskDep) -> Response:
    return await _contradiction(desk, id)


async def _contradiction(desk: Desk, id: UUID, *, error: str = "", reason: str = "", status: int = 200) -> Response:
    found: Contradiction = await desk.call(
        CONTRADICTION, claims.ContradictionGet(principal=desk.who, contradiction_id=id)
    )
    page = DeskPage(
        "contradictions", _what(desk, found), (_claims(desk, found), _standing(desk, found, reason)), error=error,
        back=url("contradictions"), back_label=desk.say("التناقضات", "Contradictions"),
    )  # fmt: skip
    return await desk.show(page, status=status)


def _claims(desk: Desk, found: Contradiction) -> Section:
    columns = (
        desk.say("الموضوع", "What"), desk.say("القيمة", "Value"), desk.say("المصدر", "Source"), desk.say("سجّله", "Recorded by"),
        desk.say("الوقت", "When"), desk.say("حاله", "Standing"),
    )  # fmt: skip
    rows = tuple(
        (
            Cell(desk.say(claim_keys()[c.key].ar, claim_keys()[c.key].en)), _value(desk, c), Cell(said_in(desk.lang, c.source)), Cell(c.recorded_by, "ltr"),
            Cell(c.recorded_at, "moment"), Cell(desk.say(*STANDINGS[c.standing.value])),
        )
        for c in found.claims
    )  # fmt: skip
    return Section(desk.say("الادعاءان", "The two claims"), columns=columns, rows=rows)


def _standing(desk: Desk, found: Contradiction, reason: str) -> Section:
    ar, en, tone = STATES[found.state.value]
    facts = [
        (desk.say("الحالة", "State"), Cell(desk.say(ar, en), tone=tone)), (desk.say("بشأن", "Subject"), Cell(found.subject, "ltr")),
        (desk.say("النوع", "Kind"), Cell(desk.say(*KINDS[found.kind.value]))),
        (desk.say("كيف وُجد", "Found"), Cell(desk.say(*FOUND[found.found_by]))), (desk.say("فُتح", "Opened"), Cell(found.opened_at, "moment")),
    ]  # fmt: skip
    if found.acknowledged_by:
        facts.append((desk.say("ينظر فيه", "Looked into by"), Cell(found.acknowledged_by, "ltr")))
    if found.decided_by:
        facts += [
            (desk.say("حسمه", "Decided by"), Cell(found.decided_by, "ltr")),
            (desk.say("الوقت", "When"), Cell(found.decided_at, "moment")),
            (desk.say("السبب", "Why"), Cell(found.reason)),
        ]
    forms: list[DeskForm] = []
    if found.state in WAITING and allowed(desk.who, "approve") is not None:
        key = str(found.contradiction_id)
        options = (
            ("", desk.say("اختر", "Choose")),
            *((str(c.claim_id), f"{_value(desk, c).value} · {c.source}") for c in found.claims),
            (BOTH, desk.say("أقبل بقاء الادعاءين", "Accept both")),
        )
        inputs = (
            Input("standing", desk.say("أي الادعاءين صحيح؟", "Which claim stands?"), "select", options=options),
            Input("reason", desk.say("السبب (10 أحرف فأكثر)", "Why (10 characters or more)"), "long", value=reason),
        )
        forms.append(DeskForm("resolve", url("contradiction_resolve", key), desk.say("احسم التناقض", "Decide"), inputs))
        if found.state is ContradictionState.OPEN:
            forms.append(
                DeskForm(
                    "look", url("contradiction_acknowledge", key), desk.say("أنظر فيه", "I look into it"), quiet=True
                )
            )
    return Section(desk.say("القرار", "Decision"), facts=tuple(facts), forms=tuple(forms))


@router.post(PATHS["contradiction_resolve"], dependencies=[DECIDING])
async def resolve(
    id: UUID,
    desk: DeskDep,
    reason: Annotated[str, Form(max_length=2000)],
    standing: Annotated[str, Form(max_length=36)] = "",
) -> Response:
    """Decide; a refusal is shown beside what was written."""
    if len(reason) < 10 or not standing:
        said = desk.say(
            "اختر الادعاء الصحيح، واكتب السبب في 10 أحرف فأكثر.",
            "Choose which claim stands, and write why in at least 10 characters.",
        )
        return await _contradiction(desk, id, error=said, reason=reason, status=422)
    try:
        chosen = None if standing == BOTH else UUID(standing)
    except ValueError:
        chosen = id  # neither of the two, which trust refuses
    request = claims.Resolve(principal=desk.who, contradiction_id=id, standing_claim_id=chosen, reason=reason)
    try:
        await desk.call(RESOLVE, request)
    except DealixError as error:
        return await _contradiction(desk, id, error=desk.error(error), reason=reason, status=error.status)
    return desk.go("contradiction", str(id))


@router.post(PATHS["contradiction_acknowledge"], dependencies=[DECIDING])
async def acknowledge(id: UUID, desk: DeskDep) -> Response:
    try:
        await desk.call(ACKNOWLEDGE, claims.Acknowledge(principal=desk.who, contradiction_id=id))
    except DealixError as error:
        return await _contradiction(desk, id, error=desk.error(error), status=error.status)
    return desk.go("contradiction", str(id))
