"""`/compliance`: the matrix of controls, looks at them, and evidence for those that no record can answer."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Header, Path, Response, UploadFile
from pydantic import Field

from libs.contracts import compliance
from libs.contracts.compliance import Attestation, ControlDetail, ControlStanding, MatrixReply, Reading
from libs.contracts.message import Principal, Text
from libs.contracts.subjects import ASSIGN_CONTROL, ATTEST, CONTROL_MATRIX, CONTROL_STATE, RUN_COMPLIANCE
from services.gateway.domain.spreadsheet import lines
from services.gateway.errors import BodyTooLarge, Unavailable
from services.gateway.http import bodies
from services.gateway.http.bodies import Items, Zoned
from services.gateway.http.context import Gateway, GatewayDep
from services.gateway.http.guards import Ids, IdsDep, require
from services.gateway.http.problems import RESPONSES
from services.gateway.http.uploads import file_name, once
from services.gateway.matrix_pdf import matrix_pdf as as_pdf

router = APIRouter(prefix="/api/v1/compliance", tags=["compliance"], responses=RESPONSES)

Reader = Annotated[Principal, require("evidence")]
Keeper = Annotated[Principal, require("consents")]
Id = Annotated[str, Path(pattern=r"^[A-Z][A-Z0-9-]{2,39}$")]
LARGEST = 5 * 1024**2


class Matrix(Items[ControlStanding]):
    """All controls on one page, with how many have which result."""

    counts: dict[str, int]
    catalogue_version: str
    not_advice: Text


class ShownControl(ControlStanding):
    """A control with its history, the newest first, and its evidence."""

    history: tuple[Reading, ...]
    attestations: tuple[Attestation, ...]
    not_advice: Text


class Run(bodies.Request):
    """Which controls to look at; without any, all automatic ones."""

    control_ids: Annotated[list[str], Field(max_length=200)] = []


class Assignment(bodies.Request):
    owner: Annotated[str, Field(min_length=1, max_length=100)]
    due_at: Zoned


@router.get("/matrix")
async def matrix(who: Reader, gateway: GatewayDep) -> Matrix:
    """Every control with its result: `pass`, `fail`, `unknown` (no data, or too old: never a pass) or `n/a`."""
    return _matrix(await gateway.bus.call(CONTROL_MATRIX, compliance.MatrixRequest(principal=who)))


@router.get("/matrix.csv", response_class=Response)
async def matrix_csv(who: Reader, gateway: GatewayDep) -> Response:
    """The matrix as a table, UTF-8 with a mark that spreadsheets recognise."""
    found = await gateway.bus.call(CONTROL_MATRIX, compliance.MatrixRequest(principal=who))
    headers = {"Content-Disposition": 'attachment; filename="compliance-matrix.csv"'}
    return Response(as_csv(found).encode("utf-8-sig"), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/matrix.pdf", response_class=Response)
async def matrix_pdf(who: Reader, gateway: GatewayDep) -> Response:
    """The matrix as PDF, in Arabic and English, for people who keep files."""
    found = await gateway.bus.call(CONTROL_MATRIX, compliance.MatrixRequest(principal=who))
    profile = await gateway.profile(who.tenant_id)
    # Setting pages is work for a processor, not for the loop that answers others meanwhile.
    body = await asyncio.to_thread(as_pdf, found, gateway.now(), profile.name_en if profile else str(who.tenant_id))
    headers = {"Content-Disposition": 'attachment; filename="compliance-matrix.pdf"'}
    return Response(body, media_type="application/pdf", headers=headers)


@router.post("/run")
async def run(body: Run, who: Keeper, gateway: GatewayDep) -> Matrix:
    """Look at controls now, and answer with the whole matrix."""
    asked = compliance.RunCompliance(principal=who, control_ids=tuple(body.control_ids))
    return _matrix(await gateway.bus.call(RUN_COMPLIANCE, asked))


@router.get("/controls/{control_id}")
async def control(control_id: Id, who: Reader, gateway: GatewayDep) -> ShownControl:
    """One control with its history and evidence."""
    return _shown(await gateway.bus.call(CONTROL_STATE, compliance.ControlGet(principal=who, control_id=control_id)))


@router.put("/controls/{control_id}/assignment")
async def assign(control_id: Id, body: Assignment, who: Keeper, gateway: GatewayDep) -> ShownControl:
    """Say who mends a failing control, and until when."""
    asked = compliance.AssignControl(principal=who, control_id=control_id, owner=body.owner, due_at=body.due_at)
    return _shown(await gateway.bus.call(ASSIGN_CONTROL, asked))


@router.post("/controls/{control_id}/attest", response_model=ShownControl)
async def attest(
    control_id: Id,
    who: Keeper,
    gateway: GatewayDep,
    ids: IdsDep,
    statement: Annotated[str, Form(min_length=10, max_length=2000)],
    valid_until: Annotated[date, Form(description="the last day on which this counts, at most a year ahead")],
    applies: Annotated[bool, Form(description="false: the control does not apply, and the statement says why")] = True,
    file: Annotated[UploadFile | None, File(description="PDF, PNG, JPEG or DOCX, up to 5 MB")] = None,
    idempotency_key: Annotated[str | None, Header(max_length=300)] = None,
) -> Any:
    """Hand in evidence for an attested control."""
    if file is not None and file.size is not None and file.size > LARGEST:
        raise BodyTooLarge(LARGEST)
    given = {"statement": statement, "valid_until": valid_until.isoformat(), "applies": str(applies)}

    async def attest(made: Ids) -> ShownControl:
        return _shown(await hand_in(gateway, who, made, control_id, statement, valid_until, file, applies=applies))

    route = f"POST /api/v1/compliance/controls/{control_id}/attest"
    return await once(gateway, who, route, idempotency_key, given, file, attest, ids=ids)


async def hand_in(
    gateway: Gateway,
    who: Principal,
    ids: Ids,
    control_id: str,
    statement: str,
    valid_until: date,
    file: UploadFile | None,
    *,
    applies: bool,
) -> ControlDetail:
    """Bring evidence to trust. Raises Unavailable when the bus does not take the file, and what trust refuses."""
    made = ids("attestation")
    name = ""
    if file is not None and file.size:
        if gateway.evidence is None:
            raise Unavailable
        name = f"{who.tenant_id}/{made}"
        await file.seek(0)
        await gateway.evidence.put(name, file.file)
    asked = compliance.Attest(
        principal=who, attestation_id=made, control_id=control_id, applies=applies, statement=statement, object_name=name,
        file_name=file_name(file.filename) if name and file is not None else "", valid_until=valid_until,
    )  # fmt: skip
    return await gateway.bus.call(ATTEST, asked)


HEADINGS = (
    "control_id", "authority", "title_en", "title_ar", "result", "why_en", "why_ar", "checked_at", "rows", "failing", "sample",
    "owner", "due_at", "severity", "mode", "gate", "binding", "source", "catalogue_version",
)  # fmt: skip


def as_csv(found: MatrixReply) -> str:
    """The matrix as text; its last line says that it is no legal advice."""
    table = [HEADINGS]
    for one in found.items:
        c, r = one.control, one.reading
        table.append((
            c.control_id, c.authority, c.title_en, c.title_ar, one.result.value, one.why.en, one.why.ar, r.checked_at.isoformat() if r else "",
            str(r.rows) if r else "", str(r.failing) if r else "", " ".join(r.sample) if r else "", one.owner,
            one.due_at.isoformat() if one.due_at else "", c.severity.value, c.mode.value, one.gate.value, c.binding, c.source,
            found.catalogue_version,
        ))  # fmt: skip
    return lines([*table, (found.not_advice.en, found.not_advice.ar)])


def _matrix(found: MatrixReply) -> Matrix:
    return Matrix(
        items=found.items, counts=found.counts, catalogue_version=found.catalogue_version, not_advice=found.not_advice
    )


def _shown(found: ControlDetail) -> ShownControl:
    return ShownControl(
        **dict(found.state), history=found.history, attestations=found.attestations, not_advice=found.not_advice
    )
