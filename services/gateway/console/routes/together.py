"""The Approval Center beyond one request: several of one template at once, and rights that are lent."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form
from starlette.responses import Response

from libs.contracts import approvals as contracts
from libs.contracts import trust
from libs.contracts.business_time import RIYADH
from libs.contracts.errors import DealixError
from libs.contracts.message import Page, new_id
from libs.contracts.subjects import APPROVALS, APPROVE_BULK, COMPARE, DELEGATE, DELEGATIONS, END_DELEGATION
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section
from services.gateway.console.urls import PATHS, url
from services.gateway.http.guards import allowed, require

router = APIRouter()

Text = Annotated[str, Form(max_length=20_000)]
MARKS = ("template", "template_version", "language")


@router.get(PATHS["together"], dependencies=[require("approve")])
async def together(desk: DeskDep) -> Response:
    return await _show(desk)


async def _show(desk: Desk, *, error: str = "", status: int = 200) -> Response:
    groups = await _groups(desk)
    sections = [await _group(desk, group) for group in groups]
    if not sections:
        title = desk.say("لا طلبات متماثلة", "Nothing alike")
        text = desk.say(
            "تظهر هنا الطلبات المعلّقة من القالب نفسه.", "Waiting requests of the same template appear here."
        )
        sections = [Section(title, text)]
    page = DeskPage(
        "approvals", desk.say("اعتماد دفعة واحدة", "Approve together"), (*sections, await _loans(desk)), error=error,
        back=url("approvals"), back_label=desk.say("مركز الموافقات", "Approval Center"),
    )  # fmt: skip
    return await desk.show(page, status=status)


async def _groups(desk: Desk) -> list[list[trust.Approval]]:
    """Waiting requests by template; those without one stand alone."""
    request = trust.ApprovalsRequest(principal=desk.who, state=trust.ApprovalState.PENDING, page=Page(limit=100))
    alike: dict[tuple[str, ...], list[trust.Approval]] = defaultdict(list)
    for one in (await desk.call(APPROVALS, request)).items:
        payload = json.loads(one.payload)
        if any(payload.get(mark) for mark in MARKS[:2]):
            key = (one.action_type, one.role, *(str(payload.get(mark, "")) for mark in MARKS), *sorted(payload))
            alike[key].append(one)
    return [group for group in alike.values() if len(group) > 1]


async def _group(desk: Desk, group: list[trust.Approval]) -> Section:
    table: contracts.Comparison = await desk.call(
        COMPARE, contracts.CompareRequest(principal=desk.who, approval_ids=tuple(one.approval_id for one in group))
    )
    labels = {f["name"]: f[f"label_{desk.lang}"] for f in group[0].view["fields"]}
    rows = tuple(
        (
            Cell(str(row.approval_id)[:8], "ltr", url("approval", str(row.approval_id))),
            *(Cell(_text(row.values[name])) for name in table.differing),
        )
        for row in table.rows
    )
    chosen = [
        {"approval_id": str(row.approval_id), "payload_hash": row.payload_hash, "view_hash": row.view_hash}
        for row in table.rows
    ]
    count = len(rows)
    form = DeskForm(
        f"bulk-{group[0].approval_id}", url("together"), desk.say(f"موافقة على {count} وتنفيذها", f"Approve and execute {count}"),
        (
            Input("items", "", "hidden", json.dumps(chosen)),
            Input("note", desk.say("ملاحظة تُحفظ مع القرار (اختياري)", "Note for the record (optional)"), required=False),
        ),
    )  # fmt: skip
    return Section(
        f"{group[0].view[f'title_{desk.lang}']} · {table.template}",
        desk.say("هذا ما تشترك فيه كلها، والجدول ما تختلف فيه.", "What all share, and in the table what differs."),
        facts=tuple((str(labels.get(name, name)), Cell(_text(value))) for name, value in table.same.items()),
        columns=(desk.say("الطلب", "Request"), *(str(labels.get(name, name)) for name in table.differing)),
        rows=rows,
        forms=(form,),
    )


@router.post(PATHS["together"], dependencies=[require("approve")])
async def approve(desk: DeskDep, items: Text, note: Text = "") -> Response:
    """Votes for exactly the hashes that the page showed; all of them, or none."""
    try:
        chosen = tuple(contracts.BulkItem.model_validate(one) for one in json.loads(items))
        await desk.call(APPROVE_BULK, contracts.BulkRequest(principal=desk.who, items=chosen, note=note))
    except DealixError as error:
        return await _show(desk, error=desk.error(error), status=error.status)
    except (ValueError, TypeError):
        return await _show(desk, error=desk.say("الطلب غير مقروء.", "The form cannot be read."), status=422)
    desk.gateway.pulse.nudge(desk.who.tenant_id, "approvals", "cards")
    return desk.go("approvals", state="approved")


async def _loans(desk: Desk) -> Section:
    request = contracts.DelegationsRequest(principal=desk.who, page=Page(limit=50))
    found = (await desk.call(DELEGATIONS, request)).items
    people = await desk.gateway.people.users(desk.caller, None, 200) if desk.caller else []
    names = {user.actor: user.name for user in people}
    takers = tuple(
        (str(u.user_id), u.name)
        for u in people
        if u.actor != desk.who.id and not u.disabled and allowed(u.principal(), "approve")
    )
    rows = tuple(
        (
            Cell(names.get(d.from_id, d.from_id)), Cell(names.get(d.to_id, d.to_id)), Cell(d.ends_at, "moment"),
            Cell(desk.say("أُنهي", "Ended") if d.ended_at else desk.say("سارٍ", "In force")),
        )
        for d in found
    )  # fmt: skip
    lend = DeskForm(
        "lend", url("delegations"), desk.say("تفويض", "Delegate"),
        (
            Input("to", desk.say("إلى", "To"), "select", options=takers),
            Input("until", desk.say("حتى", "Until"), "datetime-local", ltr=True),
            Input("note", desk.say("السبب (اختياري)", "Why (optional)"), required=False),
        ),
    )  # fmt: skip
    ends = tuple(
        DeskForm(f"end-{d.delegation_id}", url("delegation_end", str(d.delegation_id)),
                 desk.say(f"إنهاء تفويض {names.get(d.to_id, '')}", f"End the delegation to {names.get(d.to_id, '')}"), danger=True)
        for d in found
        if d.ended_at is None and d.ends_at > desk.gateway.now() and d.from_id == desk.who.id
    )  # fmt: skip
    return Section(
        desk.say("التفويض", "Delegation"),
        desk.say("من ينوب عنك في الموافقة، وإلى متى.", "Who approves in your place, and until when."),
        columns=(desk.say("من", "From"), desk.say("إلى", "To"), desk.say("حتى", "Until"), desk.say("الحالة", "State")),
        rows=rows,
        empty=desk.say("لا تفويض.", "Nothing is delegated."),
        forms=(*((lend,) if takers else ()), *ends),
    )


@router.post(PATHS["delegations"], dependencies=[require("approve")])
async def lend(desk: DeskDep, to: Text, until: Text, note: Text = "") -> Response:
    try:
        ends_at = datetime.fromisoformat(until).replace(tzinfo=RIYADH)
        taker = (await desk.gateway.people.user(desk.caller, UUID(to))).principal() if desk.caller else desk.who
    except ValueError:
        return await _show(
            desk, error=desk.say("التاريخ أو الشخص غير صالح.", "The date or the person is not valid."), status=422
        )
    except DealixError as error:
        return await _show(desk, error=desk.error(error), status=error.status)
    if allowed(taker, "approve") is None:
        return await _show(
            desk, error=desk.say("لا يُفوَّض إلا من يملك صلاحية الموافقة.", "Only an approver can take it."), status=422
        )
    request = contracts.DelegateRequest(
        principal=desk.who, delegation_id=new_id(), to_id=taker.id, ends_at=ends_at, note=note[:500]
    )
    try:
        await desk.call(DELEGATE, request)
    except DealixError as error:
        return await _show(desk, error=desk.error(error), status=error.status)
    return desk.go("together")


@router.post(PATHS["delegation_end"], dependencies=[require("approve")])
async def end(id: UUID, desk: DeskDep) -> Response:
    try:
        await desk.call(END_DELEGATION, contracts.EndDelegation(principal=desk.who, delegation_id=id))
    except DealixError as error:
        return await _show(desk, error=desk.error(error), status=error.status)
    return desk.go("together")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
