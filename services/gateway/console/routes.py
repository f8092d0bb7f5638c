"""The console's pages: forms in, pages out. Every rule is a plane's; nothing here decides anything."""

from __future__ import annotations

import base64
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import PlainTextResponse, RedirectResponse
from starlette.responses import Response

from libs.contracts import data, decision, execution, trust
from libs.contracts.catalogue.cards import cards as card_catalogue
from libs.contracts.errors import DealixError, NotFound
from libs.contracts.message import Page, new_id
from libs.contracts.subjects import (
    ACTIONS,
    APPROVAL,
    APPROVALS,
    APPROVE,
    CARDS,
    CHECKPOINT,
    DECIDE_CARD,
    IMPORT,
    IMPORT_REJECTS,
    IMPORT_STATUS,
    IMPORT_UNDO,
    IMPORTS,
    KEYS,
    LEADS,
    LEDGER,
    OPPORTUNITIES,
    PROOF,
    REJECT,
    SANDBOX,
)
from services.gateway.console import pages, present, views
from services.gateway.console.desk import LANG_COOKIE, THEME_COOKIE, DeskDep, field_map, local, problem_page
from services.gateway.console.urls import PATHS, url
from services.gateway.domain.spreadsheet import BOM, lines
from services.gateway.errors import LockedOut, SecondFactorRequired
from services.gateway.http.auth import address, forget_cookie, set_cookie
from services.gateway.http.cards import feed_role
from services.gateway.http.edge import COOKIE
from services.gateway.http.guards import allowed, require
from services.gateway.http.targeting import bring_in

router = APIRouter()
__all__ = ["problem_page", "router"]

Text = Annotated[str, Form(max_length=2000)]
Reading = require("read", reading=True)
DAY = 86_400


# Signing in ------------------------------------------------------------------------------------------------------------------


@router.get(PATHS["sign_in"])
async def sign_in_page(desk: DeskDep, next: Annotated[str, Query(max_length=500)] = "/console") -> Response:
    if desk.caller is not None:
        return RedirectResponse(local(next), 303)
    return await desk.show(pages.SignInPage(next=local(next)))


@router.post(PATHS["sign_in"])
async def sign_in(request: Request, desk: DeskDep, email: Text, password: Text, next: Text = "/console") -> Response:
    try:
        signed_in = await desk.gateway.authentication.sign_in(email, password, code=None, address=address(request))
    except SecondFactorRequired as error:
        return await desk.show(pages.SignInCodePage(next=local(next), challenge=str(error.extra["challenge"])))
    except LockedOut as error:
        minutes = max(1, int(str(error.extra["retry_after"])) // 60)
        return await desk.show(
            pages.SignInPage(error=desk.error(error), email=email, next=local(next), locked_minutes=minutes), status=429
        )
    except DealixError as error:
        return await desk.show(
            pages.SignInPage(error=desk.error(error), email=email, next=local(next)), status=error.status
        )
    return await _enter(request, desk, signed_in, next)


@router.post(PATHS["sign_in_code"])
async def sign_in_code(
    request: Request, desk: DeskDep, challenge: Text, code: Text, next: Text = "/console"
) -> Response:
    try:
        signed_in = await desk.gateway.authentication.answer(challenge, code)
    except DealixError as error:
        page = pages.SignInCodePage(error=desk.error(error), next=local(next), challenge=challenge)
        return await desk.show(page, status=error.status)
    return await _enter(request, desk, signed_in, next)


async def _enter(request: Request, desk: DeskDep, signed_in: Any, next: str) -> Response:
    await forget_cookie(request, desk.gateway)
    response = RedirectResponse(local(next), 303)
    set_cookie(request, response, signed_in, desk.gateway)
    return response


@router.post(PATHS["sign_out"])
async def sign_out(desk: DeskDep) -> Response:
    if desk.caller is not None and desk.caller.session is not None:
        await desk.gateway.authentication.sign_out(desk.caller.session)
    response = desk.go("sign_in")
    response.delete_cookie(COOKIE, path="/")
    return response


@router.post(PATHS["preferences"])
async def preferences(desk: DeskDep, next: Text = "/console", theme: Text = "", lang: Text = "") -> Response:
    response = RedirectResponse(local(next), 303)
    if theme in ("light", "dark"):
        response.set_cookie(THEME_COOKIE, theme, max_age=365 * DAY, path="/", samesite="lax")
    if lang in ("ar", "en"):
        response.set_cookie(LANG_COOKIE, lang, max_age=365 * DAY, path="/", samesite="lax")
    return response


# Command Center --------------------------------------------------------------------------------------------------------------


@router.get(PATHS["command_center"], dependencies=[Reading])
async def command_center(desk: DeskDep, role: Annotated[str | None, Query(max_length=50)] = None) -> Response:
    """What needs this reader now: the role's cards, and four figures that say unknown when nobody answers."""
    chosen = feed_role(desk.who, role)
    feed = await desk.call(CARDS, decision.CardsRequest(principal=desk.who, role=chosen))
    now = desk.gateway.now()
    shown = tuple(present.decision_card(desk.lang, card, now) for card in feed.items)
    tabs = tuple(
        views.Tab(key, present.pick(desk.lang, named.ar, named.en), url("command_center", role=key), key == chosen)
        for key, named in card_catalogue().roles.items()
        if key in ("ceo", "sales_manager", "growth_manager", "support")
    )
    figures, has_leads = await _figures(desk)
    due = [card.sla for card in shown if card.sla is not None and card.sla.minutes_left >= 0]
    page = pages.CommandCenterPage(
        kpis=figures,
        cards=shown,
        roles=tabs,
        waiting=feed.waiting + len(shown),
        next_sla=min(due, key=lambda clock: clock.due_at) if due else None,
        has_leads=has_leads,
    )
    return await desk.show(page)


async def _figures(desk: DeskDep) -> tuple[tuple[views.Kpi, ...], bool]:
    now = desk.gateway.now()
    waiting = await _count(
        desk,
        APPROVALS,
        trust.ApprovalsRequest(principal=desk.who, state=trust.ApprovalState.PENDING, page=Page(limit=200)),
    )
    done = await _count(
        desk,
        ACTIONS,
        execution.ActionsRequest(principal=desk.who, state=execution.ActionState.SUCCEEDED, page=Page(limit=200)),
    )
    safe = await _total(desk, "safe")
    everyone = await _total(desk, None)
    say = desk.say
    figures = (
        views.Kpi(
            "approvals_waiting", say("موافقات بانتظارك", "Approvals waiting"), waiting, href=url("approvals"), as_of=now
        ),
        views.Kpi(
            "leads_safe",
            say("عملاء يجوز التواصل معهم", "Leads that may be contacted"),
            safe,
            href=url("opportunities"),
            as_of=now,
        ),
        views.Kpi("leads_ranked", say("عملاء مرتّبون", "Leads ranked"), everyone, href=url("opportunities"), as_of=now),
        views.Kpi(
            "actions_done",
            say("إجراءات نُفّذت", "Actions carried out"),
            done,
            tag="sandbox",
            href=url("sandbox_mailbox"),
            as_of=now,
        ),
    )
    return figures, bool(everyone)


async def _count(desk: DeskDep, call: Any, request: Any) -> int | None:
    try:
        return len((await desk.call(call, request)).items)
    except DealixError:
        return None


async def _total(desk: DeskDep, contactability: str | None) -> int | None:
    request = decision.OpportunitiesRequest(principal=desk.who, contactability=contactability, page=Page(limit=1))
    try:
        return int((await desk.call(OPPORTUNITIES, request)).total)
    except DealixError:
        return None


@router.post(PATHS["card_decision"], dependencies=[require("submit")])
async def card_decision(
    id: UUID, desk: DeskDep, button: Text, payload_hash: Text = "", view_hash: Text = "", note: Text = ""
) -> Response:
    request = decision.DecideCard(
        principal=desk.who,
        card_id=id,
        button=button,
        note=note,
        payload_hash=payload_hash or None,
        view_hash=view_hash or None,
    )
    reply = await desk.call(DECIDE_CARD, request)
    desk.gateway.pulse.nudge(desk.who.tenant_id, "cards")
    desk.gateway.pulse.nudge(desk.who.tenant_id, "approvals")
    if reply.approval_id is not None:
        return desk.go("approval", str(reply.approval_id))
    return desk.go("command_center", role=reply.card.role)


# Approvals -------------------------------------------------------------------------------------------------------------------


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
    cards = tuple(present.approval_card(desk.lang, one, now, may_decide=may) for one in reply.items)
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
    return present.approval_card(desk.lang, approval, desk.gateway.now(), may_decide=may)


@router.get(PATHS["approval"], dependencies=[Reading])
async def approval(id: UUID, desk: DeskDep) -> Response:
    found = await _approval(desk, id)
    view = found.view
    page = pages.ApprovalPage(
        card=_card(desk, found),
        view_hash=found.view_hash,
        policy_version=found.policy_version,
        action_type=found.action_type,
        action_class="B",
        requested_by=str(view.get("requested_by") or found.requester),
        requested_at=found.requested_at,
        reversibility=str(view[f"compensation_{desk.lang}"]),
        if_unanswered=str(view[f"if_nobody_answers_{desk.lang}"]),
        reasons=present.reasons(desk.lang, found),
        history=present.history(desk.lang, found),
        compensation=str(view[f"compensation_{desk.lang}"]),
        cannot_decide=""
        if allowed(desk.who, "approve")
        else desk.say("القرار للمالك أو المعتمِد.", "The owner or an approver decides."),
    )
    return await desk.show(page)


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


# Targeting -------------------------------------------------------------------------------------------------------------------


async def _targeting(desk: DeskDep, *, source: str = "", error: str = "", status: int = 200) -> Response:
    reply = await desk.call(IMPORTS, data.ImportsRequest(principal=desk.who, page=Page(limit=10)))
    imports = tuple(present.import_summary(desk.lang, one) for one in reply.items if not one.dry_run)
    page = pages.TargetingPage(sources=present.source_options(desk.lang), imports=imports, source=source, error=error)
    return await desk.show(page, status=status)


@router.get(PATHS["targeting"], dependencies=[Reading])
async def targeting(desk: DeskDep) -> Response:
    return await _targeting(desk)


@router.post(PATHS["targeting_upload"], dependencies=[require("import")])
async def targeting_upload(desk: DeskDep, file: Annotated[UploadFile, File()], source: Text = "") -> Response:
    """Read the file without importing it: the columns are checked by a person first."""
    if not file.filename or not source:
        return await _targeting(
            desk,
            source=source,
            error=desk.say("اختر ملفًا ومصدره.", "Choose a file and where it comes from."),
            status=422,
        )
    try:
        status = await bring_in(desk.gateway, desk.who, new_id(), file, source, None, dry_run=True, obtained_how="")
    except DealixError as error:
        return await _targeting(desk, source=source, error=desk.error(error), status=error.status)
    return desk.go("import_map", str(status.import_id))


async def _import(desk: DeskDep, id: UUID) -> data.ImportStatus:
    found: data.ImportStatus = await desk.call(IMPORT_STATUS, data.ImportGet(principal=desk.who, import_id=id))
    return found


@router.get(PATHS["import_map"], dependencies=[require("import")])
async def import_map(id: UUID, desk: DeskDep) -> Response:
    status = await _import(desk, id)
    if status.state.value in ("refused", "failed"):
        return await _targeting(
            desk, source=status.source, error=desk.say(status.error_ar or "", status.error_en or ""), status=422
        )
    if status.finished_at is None:
        return await import_page(id, desk)
    page = pages.ImportMapPage(
        id=str(id),
        file_name=status.file_name,
        rows=status.counts.rows,
        encoding="",
        source=present.source_name(desk.lang, status.source),
        columns=tuple(views.ColumnMapping(m.column, m.field or "", m.confidence) for m in status.mapping),
        fields=tuple(
            views.FieldOption(key, present.pick(desk.lang, named.ar, named.en)) for key, named in status.fields.items()
        ),
    )
    return await desk.show(page)


@router.post(PATHS["import_start"], dependencies=[require("import")])
async def import_start(id: UUID, request: Request, desk: DeskDep) -> Response:
    """Import the file that was read, with the columns that the person chose."""
    looked = await _import(desk, id)
    chosen = field_map(dict(await request.form()))
    started = data.ImportRequest(
        principal=desk.who,
        import_id=new_id(),
        object_name=f"{desk.who.tenant_id}/{id}",
        file_name=looked.file_name,
        size=0,
        source=looked.source,
        mapping=chosen or None,
    )
    await desk.call(IMPORT, started)
    desk.gateway.pulse.nudge(desk.who.tenant_id, "imports")
    return desk.go("import", str(started.import_id))


@router.get(PATHS["import"], dependencies=[Reading])
async def import_page(id: UUID, desk: DeskDep) -> Response:
    status = await _import(desk, id)
    if status.dry_run and status.finished_at is not None and status.error_code is None:
        return desk.go("import_map", str(id))
    refused = await desk.call(
        IMPORT_REJECTS, data.RejectsRequest(principal=desk.who, import_id=id, page=Page(limit=50))
    )
    page = pages.ImportPage(
        id=str(id),
        file_name=status.file_name,
        source=present.source_name(desk.lang, status.source),
        at=status.started_at,
        state=present.import_state(status),
        progress=status.progress,
        counts=present.counts(status),
        step=present.import_step(desk.lang, status),
        rejects=present.rejects(desk.lang, refused),
        error=desk.say(status.error_ar or "", status.error_en or ""),
        can_undo=status.state is data.ImportState.COMPLETED and allowed(desk.who, "import") is not None,
    )
    return await desk.show(page)


@router.get(PATHS["import_rejects"], dependencies=[Reading])
async def import_rejects(id: UUID, desk: DeskDep) -> Response:
    out: list[list[str]] = []
    cursor: str | None = None
    while True:
        reply = await desk.call(
            IMPORT_REJECTS, data.RejectsRequest(principal=desk.who, import_id=id, page=Page(limit=200, cursor=cursor))
        )
        if not out:
            out.append([*reply.header, "row", "reason"])
        out += [[*row.raw, str(row.row_number), desk.say(row.ar, row.en)] for row in reply.rows]
        cursor = reply.next_cursor
        if cursor is None:
            break
    headers = {"Content-Disposition": 'attachment; filename="rejects.csv"'}
    return PlainTextResponse(BOM + "".join(lines(out)), media_type="text/csv; charset=utf-8", headers=headers)


@router.post(PATHS["import_undo"], dependencies=[require("import")])
async def import_undo(id: UUID, desk: DeskDep) -> Response:
    await desk.call(IMPORT_UNDO, data.ImportGet(principal=desk.who, import_id=id))
    return desk.go("import", str(id))


@router.get(PATHS["opportunities"], dependencies=[Reading])
async def opportunities(
    desk: DeskDep,
    contactability: Annotated[str, Query(max_length=20)] = "",
    q: Annotated[str, Query(max_length=200)] = "",
    cursor: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    request = decision.OpportunitiesRequest(
        principal=desk.who,
        contactability=contactability or None,
        q=q.strip() or None,
        page=Page(limit=25, cursor=cursor or None),
    )
    reply = await desk.call(OPPORTUNITIES, request)
    leads = await _leads(desk, [one.lead_id for one in reply.items])
    first = int(cursor) + 1 if cursor.isdigit() else 0
    items = tuple(
        present.opportunity(desk.lang, first + n, one, leads.get(one.lead_id)) for n, one in enumerate(reply.items, 1)
    )
    named = (
        ("", "الكل", "All"),
        ("safe", "يجوز التواصل", "May be contacted"),
        ("needs_review", "تحتاج مراجعة", "Needs review"),
        ("blocked", "محظور", "Blocked"),
    )
    tabs = tuple(
        views.Tab(key, desk.say(ar, en), url("opportunities", contactability=key), key == contactability)
        for key, ar, en in named
    )
    page = pages.OpportunitiesPage(
        items=items,
        tabs=tabs,
        total=reply.total,
        query=q,
        empty="no_match" if q.strip() or contactability else "none_yet",
        ranked_at=max((one.provenance.generated_at for one in reply.items), default=None),
        next_href=url("opportunities", contactability=contactability, q=q, cursor=reply.next_cursor)
        if reply.next_cursor
        else "",
    )
    return await desk.show(page)


async def _leads(desk: DeskDep, ids: list[UUID]) -> dict[UUID, data.Lead]:
    if not ids:
        return {}
    reply = await desk.call(LEADS, data.LeadsRequest(tenant_id=desk.who.tenant_id, lead_ids=tuple(ids)))
    return {lead.lead_id: lead for lead in reply.items}


@router.post(PATHS["opportunity_draft"], dependencies=[require("submit")])
async def opportunity_draft(id: UUID, desk: DeskDep) -> Response:
    """Prepare a draft by deciding on the lead's own card."""
    for role in ("sales_manager", "growth_manager"):
        feed = await desk.call(CARDS, decision.CardsRequest(principal=desk.who, role=role))
        for card in feed.items:
            if card.context.get("lead_id") == str(id) and any(b.action == "prepare_draft" for b in card.buttons):
                await desk.call(
                    DECIDE_CARD, decision.DecideCard(principal=desk.who, card_id=card.card_id, button="prepare_draft")
                )
                return desk.go("approvals")
    return desk.go("approvals")


# Evidence --------------------------------------------------------------------------------------------------------------------


@router.get(PATHS["evidence"], dependencies=[Reading])
async def evidence(
    desk: DeskDep, q: Annotated[str, Query(max_length=200)] = "", cursor: Annotated[str, Query(max_length=60)] = ""
) -> Response:
    text = q.strip()
    where: dict[str, str] = {"target": text} if ":" in text else {"actor": text} if text else {}
    request = trust.LedgerRequest(principal=desk.who, page=Page(limit=50, cursor=cursor or None), **where)
    reply = await desk.call(LEDGER, request)
    point = await desk.call(CHECKPOINT, trust.CheckpointRequest(principal=desk.who))
    rows = tuple(row for row in (present.ledger_row(desk.lang, entry) for entry in reply.items) if row is not None)
    page = pages.EvidencePage(
        rows=rows,
        checkpoint=present.checkpoint(point),
        query=q,
        empty="no_match" if text else "none_yet",
        next_href=url("evidence", q=q, cursor=reply.next_cursor) if reply.next_cursor else "",
    )
    return await desk.show(page)


@router.get(PATHS["evidence_entry"], dependencies=[Reading])
async def evidence_entry(id: int, desk: DeskDep) -> Response:
    """One leaf with all that the browser needs to verify it by itself."""
    proof = await desk.call(PROOF, trust.ProofRequest(principal=desk.who, seq=id))
    point = await desk.call(CHECKPOINT, trust.CheckpointRequest(principal=desk.who))
    keys = await desk.call(KEYS, trust.KeysRequest())
    checkpoint = present.checkpoint(point.evolve(note=proof.checkpoint, **_parsed(proof.checkpoint)))
    if checkpoint is None:
        raise NotFound
    entry = present.entry_of(proof.entry)
    around = (
        await desk.call(LEDGER, trust.LedgerRequest(principal=desk.who, target=entry.target, page=Page(limit=50)))
        if entry.target
        else None
    )
    page = pages.EvidenceEntryPage(
        index=proof.seq,
        title=present.entry_title(desk.lang, entry.kind),
        at=entry.at or desk.gateway.now(),
        actor=entry.actor,
        entry=proof.entry,
        salt=proof.salt,
        leaf_hash=proof.leaf_hash,
        path=proof.path,
        checkpoint=checkpoint,
        keys={"keys": [key for key in keys.keys if key.get("dealix_use") == "checkpoint"]},
        timeline=present.timeline(desk.lang, around.items if around else (), proof.seq),
        facts=present.entry_facts(desk.lang, entry),
    )
    return await desk.show(page)


def _parsed(note: str) -> dict[str, Any]:
    """Origin, size and root of a signed note, as its first three lines say them."""
    origin, size, root = note.split("\n")[:3]
    return {"origin": origin, "size": int(size), "root": base64.b64decode(root).hex()}


# Sandbox ---------------------------------------------------------------------------------------------------------------------


@router.get(PATHS["sandbox_mailbox"], dependencies=[Reading])
async def sandbox_mailbox(desk: DeskDep) -> Response:
    reply = await desk.call(SANDBOX, execution.SandboxRequest(principal=desk.who, page=Page(limit=50)))
    return await desk.show(pages.SandboxMailboxPage(tuple(present.sandbox_message(message) for message in reply.items)))
