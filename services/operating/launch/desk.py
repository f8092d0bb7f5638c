"""The matrix of gates as people read it, their word on gates, and what trust asks before a connector goes live."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from uuid import UUID

from libs.contracts import subjects
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.gates import Gate, gates
from libs.contracts.errors import Forbidden
from libs.contracts.launch import (
    AttestGate,
    GateAttestation,
    GateDetail,
    GateGet,
    GateResult,
    GoLiveReply,
    GoLiveRequest,
    LaunchReadiness,
    LiveAllowed,
    LiveAllowedRequest,
)
from libs.contracts.message import Plane, Principal, PrincipalKind, new_id
from libs.contracts.subjects import AUDITED
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.plane import HEARTBEAT_SECONDS, Runtime
from services.operating.domain.health import Board
from services.operating.launch.domain.judging import matrix, readiness
from services.operating.launch.errors import AttestationTerm, AttesterForbidden, ReadFromRecords, UnknownGate
from services.operating.launch.installation import Installation
from services.operating.launch.others import Others
from services.operating.launch.store import Words
from services.operating.store import SqlStore

READERS = frozenset({"owner", "admin", "approver", "operator", "auditor", "compliance_officer", "api_client"})
SHOWN = 100


class Launch:
    """Reads everything anew whenever it is asked: what opens a gate counts at once."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._database = runtime.database
        self._environment = runtime.settings.environment
        self._installation = Installation(runtime)
        self._others = Others(runtime.bus)

    async def go_live(self, request: GoLiveRequest) -> GoLiveReply:
        """Every gate as it stands. Raises Forbidden."""
        _require(request.principal)
        return await self._matrix(request.principal.tenant_id)

    async def readiness(self, request: GoLiveRequest) -> LaunchReadiness:
        """The score and what holds it down. Raises Forbidden."""
        _require(request.principal)
        found = await self._matrix(request.principal.tenant_id)
        board = Board(timedelta(seconds=HEARTBEAT_SECONDS))
        board.restore(await SqlStore(self._database).heartbeats())
        return readiness(found, board.planes(self._runtime.now()), plane_points=gates().points_plane)

    async def allowed(self, request: LiveAllowedRequest) -> LiveAllowed:
        """Whether nothing that blocks is open for a tenant, where gates are enforced."""
        found = await self._matrix(request.tenant_id)
        blocking = tuple(one.gate for one in found.items if one.blocking and one.result is not GateResult.PASS)
        return LiveAllowed(allowed=bool(found.items) and not (found.enforced and blocking), open=blocking)

    async def gate(self, request: GateGet) -> GateDetail:
        """Raises Forbidden, UnknownGate."""
        _require(request.principal)
        return await self._detail(request.principal.tenant_id, _gate(request.gate))

    async def attest(self, request: AttestGate) -> GateDetail:
        """Keep a person's word, on the ledger too. The same id again answers with what is on record.

        Raises UnknownGate, ReadFromRecords, AttesterForbidden, AttestationTerm.
        """
        who, gate = request.principal, _gate(request.gate)
        if not gate.attested_by:
            raise ReadFromRecords
        role = next((role for role in gate.attested_by if role in who.roles), None)
        if role is None or who.kind is not PrincipalKind.USER:
            raise AttesterForbidden(gate.attested_by)
        async with self._database.batch(who.tenant_id) as work:
            now: datetime = await work.connection.fetchval("select now()")
            today = now.astimezone(RIYADH).date()
            if not today <= request.expires_on <= today + timedelta(days=gate.longest_days):
                raise AttestationTerm(gate.longest_days)
            one = GateAttestation(
                attestation_id=request.attestation_id, gate=gate.key, environment=self._environment, holds=request.holds,
                statement=request.statement, role=role, attested_by=who.id, attested_at=now, expires_on=request.expires_on,
            )  # fmt: skip
            if await Words(work.connection, who.tenant_id, self._environment).keep(one):
                work.emit(AUDITED[Plane.OPERATING], _entry(who, one))
        return await self._detail(who.tenant_id, gate)

    async def _matrix(self, tenant: UUID) -> GoLiveReply:
        installation, others = await asyncio.gather(self._installation.look(), self._others.look(tenant))
        async with self._database.batch(tenant) as work:
            words = await Words(work.connection, tenant, self._environment).newest()
        return matrix(
            gates(), {**installation, **others}, words, environment=self._environment, now=self._runtime.now()
        )

    async def _detail(self, tenant: UUID, gate: Gate) -> GateDetail:
        found = await self._matrix(tenant)
        async with self._database.batch(tenant) as work:
            said = await Words(work.connection, tenant, self._environment).of(gate.key, SHOWN)
        (state,) = [one for one in found.items if one.gate == gate.key]
        return GateDetail(state=state, attestations=said)


def _gate(key: str) -> Gate:
    found = gates().gates.get(key)
    if found is None:
        raise UnknownGate
    return found


def _require(principal: Principal) -> None:
    if not READERS & set(principal.roles):
        raise Forbidden


def _entry(who: Principal, one: GateAttestation) -> AuditRecorded:
    return AuditRecorded(
        entry_id=new_id(),
        tenant_id=who.tenant_id,
        kind="launch.gate_attested",
        actor=who.id,
        target=f"gate:{one.gate}",
        at=one.attested_at,
        data={
            "attestation_id": str(one.attestation_id),
            "environment": one.environment,
            "holds": one.holds,
            "role": one.role,
            "expires_on": one.expires_on.isoformat(),
        },
        trace_id=telemetry.trace_id(),
    )


def serve_launch(runtime: Runtime) -> None:
    """Answer everything about going live. Raises pydantic.ValidationError when the catalogue of gates is wrong."""
    gates()
    desk = Launch(runtime)
    runtime.bus.serve(subjects.GO_LIVE, desk.go_live)
    runtime.bus.serve(subjects.GATE, desk.gate)
    runtime.bus.serve(subjects.ATTEST_GATE, desk.attest)
    runtime.bus.serve(subjects.LAUNCH_READINESS, desk.readiness)
    runtime.bus.serve(subjects.LIVE_ALLOWED, desk.allowed)
