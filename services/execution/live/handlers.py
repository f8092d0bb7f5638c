"""Setting connectors up: rates, credentials, probes, and asking for the live switch."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from libs.contracts.catalogue.credentials import credential_fields, read_credential
from libs.contracts.catalogue.flags import flags
from libs.contracts.connectors import DropCredential, ProbeConnector, PutCredential, SetConnector, SwitchLive
from libs.contracts.errors import NotFound
from libs.contracts.execution import (
    ActionItem,
    ConnectorInfo,
    ConnectorsReply,
    ConnectorsRequest,
    ConnectorStatus,
    SubmitReply,
    SubmitRequest,
    SubmitResult,
)
from libs.contracts.message import Plane, Principal, PrincipalKind, Reason, new_id
from libs.contracts.observed import ExecutionFact, ExecutionFacts, SecretSeen
from libs.contracts.subjects import AUDITED, OBSERVED
from libs.contracts.trust import AuditRecorded, ResourceRef
from libs.runtime import telemetry
from libs.runtime.database import BatchWork, Database
from services.execution.connectors.base import Connector
from services.execution.connectors.public import reachable
from services.execution.errors import ConnectorError
from services.execution.live.domain import Standing, shown
from services.execution.live.errors import ConnectorForbidden, NoLiveSwitch, NotSetUp, ProbeFailed
from services.execution.live.reach import require_reachable
from services.execution.live.store import LiveRows
from services.execution.live.switch import PREFIX, TASK
from services.execution.push.domain.address import read_endpoint
from services.execution.vault import Vault

SETS_UP = frozenset({"owner", "admin"})
Submit = Callable[[SubmitRequest], Awaitable[SubmitReply]]
CANNOT_SAY = Reason(
    code="no_probe",
    en="The vendor can't be asked without an effect there.",
    ar="لا يمكن سؤال المزوّد دون أثر لديه.",
)
WORKS = Reason(code="ok", en="The vendor accepts the credential.", ar="قبل المزوّد بيانات الاعتماد.")
MISSING = Reason(code="no_credential", en="No credential is stored.", ar="لا توجد بيانات اعتماد محفوظة.")


@runtime_checkable
class Probes(Protocol):
    """A connector whose vendor can be asked whether a credential works, without any effect there."""

    async def probe(self, credential: Mapping[str, Any]) -> Sequence[ExecutionFact] | None:
        """What it learned on the way. Raises ConnectorError naming what is wrong."""
        ...


class Setup:
    """`connectors` by key; `allowed` names hosts of the operator's own network that tenants may use."""

    def __init__(
        self,
        database: Database,
        vault: Vault,
        connectors: Mapping[str, Connector],
        submit: Submit,
        now: Callable[[], datetime],
        allowed: Collection[str],
    ) -> None:
        self._database = database
        self._vault = vault
        self._connectors = connectors
        self._submit = submit
        self._now = now
        self._allowed = allowed
        self._began = now()

    async def connectors(self, request: ConnectorsRequest) -> ConnectorsReply:
        """Every connector as it stands for the tenant."""
        async with self._database.batch(request.principal.tenant_id) as work:
            rows = LiveRows(work.connection, request.principal.tenant_id)
            standing = await rows.standing(sorted(self._connectors))
        return ConnectorsReply(items=tuple(self._shown(key, standing[key], request.live) for key in self._connectors))

    def _with_given(self, key: str, standing: Standing) -> Standing:
        """What the operator gives for all tenants is there from this process's start on: a probe before that was of another one."""
        if standing.credential_at is None and key in self._vault.given:
            return replace(standing, credential_at=self._began)
        return standing

    def _shown(self, key: str, standing: Standing, live: Collection[str] = ()) -> ConnectorInfo:
        standing = self._with_given(key, standing)
        fields = tuple(field.name for field in credential_fields().get(key, ()))
        return shown(self._connectors[key].profile, standing, live=key in live, fields=fields, now=self._now())

    async def set_rate(self, request: SetConnector) -> ConnectorInfo:
        """Raises ConnectorForbidden, NotFound."""
        self._require(request.principal, request.connector)
        async with self._database.batch(request.principal.tenant_id) as work:
            rows = LiveRows(work.connection, request.principal.tenant_id)
            await rows.set_rate(request.connector, request.per_minute, request.principal.id)
            self._note(work, request, "connector.settings_changed", per_minute=request.per_minute)
            return self._shown(request.connector, (await rows.standing([request.connector]))[request.connector])

    async def put(self, request: PutCredential) -> ConnectorInfo:
        """Seal a credential; the old one is gone. Raises ConnectorForbidden, NotFound, CredentialInvalid, PrivateHost."""
        self._require(request.principal, request.connector)
        values = read_credential(request.connector, request.values)
        if request.connector == "email_smtp":
            await require_reachable(str(values["host"]), int(values["port"]), str(values["tls"]), self._allowed)
        if (address := values.get("base_url")) is not None:
            await reachable(read_endpoint(str(address), self._allowed))
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            await self._vault.put(work.connection, tenant, request.connector, values)
            self._note(work, request, "connector.credential_stored", fields=sorted(values))
            sealed = await self._vault.sealed(work.connection, tenant, request.connector)
            self._tell(work, tenant, SecretSeen(subject=f"credential:{request.connector}", kept=True, sealed=sealed))
            rows = LiveRows(work.connection, tenant)
            return self._shown(request.connector, (await rows.standing([request.connector]))[request.connector])

    async def drop(self, request: DropCredential) -> ConnectorInfo:
        """Forget a credential. Raises ConnectorForbidden, NotFound."""
        self._require(request.principal, request.connector)
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            await self._vault.drop(work.connection, tenant, request.connector)
            self._note(work, request, "connector.credential_dropped")
            self._tell(work, tenant, SecretSeen(subject=f"credential:{request.connector}", kept=False, sealed=True))
            rows = LiveRows(work.connection, tenant)
            return self._shown(request.connector, (await rows.standing([request.connector]))[request.connector])

    async def probe(self, request: ProbeConnector) -> ConnectorInfo:
        """Ask the vendor whether the credential works, and keep the answer. Raises ConnectorForbidden, NotFound."""
        self._require(request.principal, request.connector)
        tenant = request.principal.tenant_id
        status, found, learned = await self._ask(tenant, request.connector)
        async with self._database.batch(tenant) as work:
            rows = LiveRows(work.connection, tenant)
            await rows.keep_probe(request.connector, status, found)
            self._note(work, request, "connector.probed", status=status.value, code=found.code)
            if learned:
                self._tell(work, tenant, *learned)
            return self._shown(request.connector, (await rows.standing([request.connector]))[request.connector])

    async def _ask(self, tenant: UUID, connector: str) -> tuple[ConnectorStatus, Reason, tuple[ExecutionFact, ...]]:
        vendor = self._connectors[connector]
        try:
            credential = await self._vault.open(tenant, connector)
            if credential is None:
                return ConnectorStatus.UNKNOWN, MISSING, ()
            if not isinstance(vendor, Probes):
                return ConnectorStatus.UNKNOWN, CANNOT_SAY, ()
            learned = await vendor.probe(credential)
        except ConnectorError as error:
            return ConnectorStatus.ERROR, Reason(code=error.code, en=error.en, ar=error.ar), ()
        return ConnectorStatus.OK, WORKS, tuple(learned or ())

    async def switch_live(self, request: SwitchLive) -> SubmitResult:
        """Submit the action that people have to approve. Nobody is asked to approve what could not work.

        Raises ConnectorForbidden, NotFound, NoLiveSwitch, NotSetUp, ProbeFailed.
        """
        who, key = request.principal, request.connector
        self._require(who, key)
        if f"{PREFIX}{key}" not in flags():
            raise NoLiveSwitch
        async with self._database.batch(who.tenant_id) as work:
            standing = self._with_given(key, (await LiveRows(work.connection, who.tenant_id).standing([key]))[key])
        if standing.credential_at is None:
            raise NotSetUp
        now = self._shown(key, standing).status
        if isinstance(self._connectors[key], Probes) and now not in (ConnectorStatus.OK, ConnectorStatus.DEGRADED):
            raise ProbeFailed
        item = ActionItem(
            action_id=new_id(),
            action_type=TASK,
            resource=ResourceRef(type="connector", id=key),
            payload={"flag": f"{PREFIX}{key}", "value": True},
            reason=request.reason,
        )
        return (await self._submit(SubmitRequest(principal=who, items=(item,)))).results[0]

    def _require(self, principal: Principal, connector: str) -> None:
        if principal.kind is PrincipalKind.AGENT or not SETS_UP & set(principal.roles):
            raise ConnectorForbidden
        if connector not in self._connectors:
            raise NotFound

    def _tell(self, work: BatchWork, tenant: UUID, *facts: ExecutionFact) -> None:
        work.emit(OBSERVED[Plane.EXECUTION], ExecutionFacts(tenant_id=tenant, at=self._now(), facts=facts))

    def _note(self, work: BatchWork, request: Any, kind: str, **data: Any) -> None:
        work.emit(
            AUDITED[Plane.EXECUTION],
            AuditRecorded(
                entry_id=new_id(), tenant_id=request.principal.tenant_id, kind=kind, actor=request.principal.id,
                target=f"connector:{request.connector}", at=self._now(), data=data, trace_id=telemetry.trace_id(),
            ),
        )  # fmt: skip
