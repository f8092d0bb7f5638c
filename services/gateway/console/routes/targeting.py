"""Targeting: from a file to a ranked list."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, File, Form, Query, Request, UploadFile
from fastapi.responses import PlainTextResponse
from starlette.responses import Response

from libs.contracts import data, decision
from libs.contracts.errors import DealixError
from libs.contracts.import_rows import RemarksRequest
from libs.contracts.message import Page, new_id
from libs.contracts.subjects import (
    IMPORT,
    IMPORT_CANCEL,
    IMPORT_REJECTS,
    IMPORT_REMARKS,
    IMPORT_STATUS,
    IMPORT_UNDO,
    IMPORTS,
    LEADS,
    OPPORTUNITIES,
    PREPARE_DRAFT,
)
from services.gateway.console import pages, present, present_imports, views
from services.gateway.console.desk import DeskDep, field_map
from services.gateway.console.urls import PATHS, url
from services.gateway.domain.rejects import heading, line
from services.gateway.domain.spreadsheet import BOM, lines
from services.gateway.http.guards import allowed, require
from services.gateway.http.targeting import bring_in

router = APIRouter()

Text = Annotated[str, Form(max_length=2000)]
Reading = require("read", reading=True)


async def _targeting(desk: DeskDep, *, source: str = "", error: str = "", status: int = 200) -> Response:
    reply = await desk.call(IMPORTS, data.ImportsRequest(principal=desk.who, page=Page(limit=10)))
    imports = tuple(present_imports.summary(desk.lang, one) for one in reply.items if not one.dry_run)
    page = pages.TargetingPage(
        sources=present_imports.source_options(desk.lang), imports=imports, source=source, error=error
    )
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
    unnamed = status.state is data.ImportState.REFUSED and bool(status.mapping)  # a person can say what the columns are
    if status.state.value in ("refused", "failed") and not unnamed:
        return await _targeting(
            desk, source=status.source, error=desk.say(status.error_ar or "", status.error_en or ""), status=422
        )
    if status.finished_at is None:
        return await import_page(id, desk, "")
    page = pages.ImportMapPage(
        id=str(id),
        file_name=status.file_name,
        rows=status.counts.rows,
        encoding=status.encoding,
        source=present.source_name(desk.lang, status.source),
        columns=tuple(
            views.ColumnMapping(m.column, m.field or "", m.confidence, present_imports.samples(status, at))
            for at, m in enumerate(status.mapping)
        ),
        preview=status.sample,
        notices=tuple(desk.say(said.ar, said.en) for said in status.notices),
        counts={} if unnamed else present_imports.counts(status),
        error=desk.say(status.error_ar or "", status.error_en or "") if unnamed else "",
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
async def import_page(id: UUID, desk: DeskDep, after: Annotated[str, Query(pattern="^[0-9]{0,9}$")] = "") -> Response:
    status = await _import(desk, id)
    if status.dry_run and status.finished_at is not None and (status.error_code is None or status.mapping):
        return desk.go("import_map", str(id))
    said = await desk.call(
        IMPORT_REMARKS, RemarksRequest(principal=desk.who, import_id=id, page=Page(limit=50, cursor=after or None))
    )
    refused = await desk.call(
        IMPORT_REJECTS, data.RejectsRequest(principal=desk.who, import_id=id, page=Page(limit=50))
    )
    page = pages.ImportPage(
        id=str(id),
        file_name=status.file_name,
        source=present.source_name(desk.lang, status.source),
        at=status.started_at,
        state=present_imports.state(status),
        progress=status.progress,
        counts=present_imports.counts(status),
        step=present_imports.step(desk.lang, status),
        rejects=present_imports.rejects(desk.lang, refused),
        notices=tuple(desk.say(one.ar, one.en) for one in status.notices),
        remarks=present_imports.remarks(desk.lang, said.rows),
        more_remarks=url("import", str(id), after=said.next_cursor) if said.next_cursor else "",
        error=desk.say(status.error_ar or "", status.error_en or ""),
        can_cancel=status.state.value in ("queued", "reading", "matching") and allowed(desk.who, "import") is not None,
        can_undo=status.state is data.ImportState.COMPLETED and allowed(desk.who, "import") is not None,
    )
    return await desk.show(page)


@router.get(PATHS["import_rejects"], dependencies=[Reading])
async def import_rejects(id: UUID, desk: DeskDep) -> Response:
    out: list[tuple[str, ...]] = []
    cursor: str | None = None
    while True:
        reply = await desk.call(
            IMPORT_REJECTS, data.RejectsRequest(principal=desk.who, import_id=id, page=Page(limit=200, cursor=cursor))
        )
        if not out:
            out.append(heading(reply.header))
        out += [line(reply.header, row) for row in reply.rows]
        cursor = reply.next_cursor
        if cursor is None:
            break
    headers = {"Content-Disposition": 'attachment; filename="rejects.csv"'}
    return PlainTextResponse(BOM + "".join(lines(out)), media_type="text/csv; charset=utf-8", headers=headers)


@router.post(PATHS["import_undo"], dependencies=[require("import")])
async def import_undo(id: UUID, desk: DeskDep) -> Response:
    await desk.call(IMPORT_UNDO, data.ImportGet(principal=desk.who, import_id=id))
    return desk.go("import", str(id))


@router.post(PATHS["import_cancel"], dependencies=[require("import")])
async def import_cancel(id: UUID, desk: DeskDep) -> Response:
    await desk.call(IMPORT_CANCEL, data.ImportGet(principal=desk.who, import_id=id))
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
    """Prepare a draft, or say why there is none."""
    await desk.call(PREPARE_DRAFT, decision.PrepareDraft(principal=desk.who, lead_id=id))
    return desk.go("approvals")
