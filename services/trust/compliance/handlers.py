"""The matrix as those who keep it use it: read, run, hand in evidence, assign."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.controls import Control, ControlKind, controls, version
from libs.contracts.compliance import (
    NOT_ADVICE,
    AssignControl,
    Attest,
    Attestation,
    ControlDetail,
    ControlGet,
    ControlResult,
    ControlStanding,
    MatrixReply,
    MatrixRequest,
    Reading,
    RunCompliance,
)
from libs.contracts.errors import Forbidden
from libs.contracts.message import Principal
from libs.runtime.database import Database
from services.trust.bundles.watch import record
from services.trust.compliance.domain.evidence import check_term, media_type
from services.trust.compliance.domain.judge import Failure, state
from services.trust.compliance.errors import (
    EVIDENCE_MISSING,
    EVIDENCE_TERM,
    AlwaysApplies,
    BadEvidence,
    NoFailure,
    NotAttested,
    NotAutomatic,
    UnknownControl,
)
from services.trust.compliance.store import ControlRows
from services.trust.compliance.sweep import Sweep, automatic

READERS = frozenset({"owner", "admin", "approver", "auditor", "compliance_officer", "api_client"})
KEEPERS = frozenset({"owner", "compliance_officer", "api_client"})
HISTORY = 100

ReadFile = Callable[[str], Awaitable[bytes]]
"""Takes a file out of the object store and deletes it there. Raises BadEvidence when it is not there."""


class Compliance:
    def __init__(self, database: Database, sweep: Sweep, read_file: ReadFile) -> None:
        self._database = database
        self._sweep = sweep
        self._read_file = read_file

    async def matrix(self, request: MatrixRequest) -> MatrixReply:
        """Every control as it stands now."""
        _require(request.principal, READERS)
        return await self._matrix(request.principal.tenant_id)

    async def run(self, request: RunCompliance) -> MatrixReply:
        """Look now. Raises UnknownControl, NotAutomatic."""
        _require(request.principal, KEEPERS)
        wanted = [control_of(one) for one in request.control_ids] or list(automatic())
        for control in wanted:
            if control.kind != ControlKind.AUTOMATIC:
                raise NotAutomatic
        for control in wanted:
            await self._sweep.look(request.principal.tenant_id, control, request.principal.id)
        return await self._matrix(request.principal.tenant_id)

    async def get(self, request: ControlGet) -> ControlDetail:
        """Raises UnknownControl."""
        _require(request.principal, READERS)
        return await self._control(request.principal.tenant_id, control_of(request.control_id))

    async def attest(self, request: Attest) -> ControlDetail:
        """Keep evidence with its term. The same id again answers with what is on record.

        Raises UnknownControl, NotAttested, AlwaysApplies and BadEvidence; a refusal is on record and changes nothing.
        """
        who, control = request.principal, control_of(request.control_id)
        _require(who, KEEPERS)
        body = await self._read_file(request.object_name) if request.object_name else b""
        try:
            media = await self._checked(control, request, body)
        except (NotAttested, AlwaysApplies, BadEvidence) as refused:
            async with self._database.batch(who.tenant_id) as work:
                fact = (
                    who.tenant_id,
                    "control.evidence_refused",
                    who.id,
                    f"control:{control.control_id}",
                    {"why": refused.code},
                )
                await record(work.connection, [fact])  # fmt: skip
            raise
        async with self._database.batch(who.tenant_id) as work:
            rows = ControlRows(work.connection, who.tenant_id)
            one = Attestation(
                attestation_id=request.attestation_id, control_id=control.control_id, applies=request.applies, statement=request.statement,
                file_name=request.file_name if body else "", media_type=media, sha256=hashlib.sha256(body).hexdigest() if body else "",
                bytes=len(body), valid_until=request.valid_until, attested_by=who.id, attested_at=await rows.now(),
            )  # fmt: skip
            if await rows.attest(one, body):
                fact_data = {"applies": one.applies, "sha256": one.sha256, "valid_until": one.valid_until.isoformat()}
                kept = (who.tenant_id, "control.attested", who.id, f"control:{control.control_id}", fact_data)
                await record(work.connection, [kept])
        return await self._control(who.tenant_id, control)

    async def assign(self, request: AssignControl) -> ControlDetail:
        """Say who mends a failure, and until when. Raises UnknownControl, NoFailure, BadEvidence for a date that is over."""
        who, control = request.principal, control_of(request.control_id)
        _require(who, KEEPERS)
        async with self._database.batch(who.tenant_id) as work:
            rows = ControlRows(work.connection, who.tenant_id)
            if request.due_at <= await rows.now():
                raise BadEvidence("due_in_past", "The due date is over.", "الموعد المحدد انقضى.")
            if not await rows.assign(control.control_id, request.owner, request.due_at):
                raise NoFailure
            fact = {"owner": request.owner, "due_at": request.due_at.isoformat()}
            await record(
                work.connection, [(who.tenant_id, "control.assigned", who.id, f"control:{control.control_id}", fact)]
            )
        return await self._control(who.tenant_id, control)

    async def _checked(self, control: Control, request: Attest, body: bytes) -> str:
        async with self._database.batch(request.principal.tenant_id) as work:
            now = await ControlRows(work.connection, request.principal.tenant_id).now()
        try:
            check_term(request.valid_until, now.astimezone(RIYADH).date())
        except OverflowError as error:
            raise BadEvidence(*EVIDENCE_TERM) from error
        if not request.applies:
            if control.binds:
                raise AlwaysApplies
        elif control.kind != ControlKind.ATTESTED:
            raise NotAttested
        elif not body:
            raise BadEvidence(*EVIDENCE_MISSING)
        return media_type(request.file_name, body) if body else ""

    async def _matrix(self, tenant: UUID) -> MatrixReply:
        live = await self._sweep.is_live(tenant)
        async with self._database.batch(tenant) as work:
            rows = ControlRows(work.connection, tenant)
            seen = (await rows.newest(), await rows.attestations(), await rows.failures(), await rows.now())
        items = tuple(_state(control, *seen, live=live) for control in controls().values())
        counts = Counter(one.result.value for one in items)
        return MatrixReply(
            items=items, counts={result.value: counts[result.value] for result in ControlResult},
            catalogue_version=version(), not_advice=NOT_ADVICE,
        )  # fmt: skip

    async def _control(self, tenant: UUID, control: Control) -> ControlDetail:
        live = await self._sweep.is_live(tenant)
        async with self._database.batch(tenant) as work:
            rows = ControlRows(work.connection, tenant)
            evidence = await rows.attestations(control.control_id)
            found = _state(control, await rows.newest(), evidence, await rows.failures(), await rows.now(), live=live)
            history = await rows.history(control.control_id, HISTORY)
        kept = tuple(evidence.get(control.control_id, ()))
        return ControlDetail(state=found, history=tuple(history), attestations=kept, not_advice=NOT_ADVICE)


def control_of(control_id: str) -> Control:
    """Raises UnknownControl."""
    found = controls().get(control_id)
    if found is None:
        raise UnknownControl
    return found


def _state(
    control: Control,
    readings: Mapping[str, Reading],
    evidence: Mapping[str, Sequence[Attestation]],
    failures: Mapping[str, Failure],
    now: datetime,
    *,
    live: bool,
) -> ControlStanding:
    key = control.control_id
    return state(control, readings.get(key), evidence.get(key, ()), failures.get(key), live=live, now=now)


def _require(principal: Principal, roles: frozenset[str]) -> Any:
    if not roles & set(principal.roles):
        raise Forbidden
