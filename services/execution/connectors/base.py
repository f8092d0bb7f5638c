"""The connector contract, and the transports below it: live, or a sandbox that runs the same code up to the wire."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any, Protocol, runtime_checkable
from uuid import UUID

from libs.contracts.execution import ConnectorInfo, ConnectorStatus, EffectsReply, Receipt, SandboxMessage
from libs.contracts.message import new_id
from libs.contracts.trust import ConnectorMode
from services.execution.gate import Admitted


@dataclass(frozen=True, slots=True)
class Profile:
    """What a connector is, as the governance board shows it."""

    key: str
    name: str
    name_ar: str
    version: str
    operations: tuple[str, ...]
    data_classification: str
    cross_border: bool
    idempotent: bool
    read_back: str
    per_minute: int = 600
    """Live effects a minute and tenant, where the tenant has not set its own rate."""

    def info(self, *, mode: str, registered: bool) -> ConnectorInfo:
        """Status is unknown until a probe has said otherwise."""
        return ConnectorInfo(
            connector_key=self.key,
            display_name=self.name,
            display_name_ar=self.name_ar,
            version=self.version,
            mode=mode,
            status=ConnectorStatus.UNKNOWN,
            registered=registered,
            operations=self.operations,
            data_classification=self.data_classification,
            cross_border=self.cross_border,
            idempotent=self.idempotent,
            read_back=self.read_back,
        )


class Connector(Protocol):
    """Reaches one vendor. `perform` takes an Admitted and nothing else."""

    profile: Profile

    async def perform(self, admitted: Admitted) -> Receipt:
        """Carry out what was granted.

        Raises VendorRejected, VendorUnavailable or OutcomeUnknown.
        """
        ...


@runtime_checkable
class ReadsBack(Protocol):
    """A connector that can read its vendor's own log, with a lease that reaches no operation with an effect."""

    profile: Profile

    async def list_effects(self, tenant_id: UUID, since: datetime) -> EffectsReply:
        """What the vendor says was done since then, whoever asked for it."""
        ...


class Sandbox:
    """The built-in mailbox. What connectors hand it is kept until the outcome's transaction writes it down, so that a sandbox
    effect and its outcome are one fact."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._now = now
        self._captured: dict[UUID, list[SandboxMessage]] = {}

    def capture(self, admitted: Admitted, request: dict[str, Any]) -> str:
        """Keep what would have left, and answer with a vendor id that says sandbox."""
        message = SandboxMessage(
            message_id=new_id(),
            action_id=admitted.claims.action_id,
            connector=admitted.claims.connector,
            operation=admitted.claims.operation,
            at=self._now(),
            request=request,
        )
        self._captured.setdefault(admitted.claims.grant_id, []).append(message)
        return f"sandbox-{message.message_id}"

    def take(self, grant_id: UUID) -> list[SandboxMessage]:
        return self._captured.pop(grant_id, [])


def receipt(
    admitted: Admitted,
    *,
    vendor_id: str,
    request: bytes,
    response: bytes,
    started_at: datetime,
    finished_at: datetime,
    retries: int = 0,
    sent: Mapping[str, str] | None = None,
) -> Receipt:
    """What was done under a grant. The mode is the grant's: a sandbox receipt says sandbox."""
    claims = admitted.claims
    return Receipt(
        receipt_id=new_id(),
        tenant_id=claims.tenant_id,
        action_id=claims.action_id,
        attempt=claims.attempt,
        grant_id=claims.grant_id,
        connector=claims.connector,
        operation=claims.operation,
        mode=claims.connector_mode.value,
        vendor_id=vendor_id,
        request_digest=sha256(request).hexdigest(),
        response_digest=sha256(response).hexdigest(),
        started_at=started_at,
        finished_at=finished_at,
        retries=retries,
        sent=dict(sent or {}),
    )


def is_sandbox(admitted: Admitted) -> bool:
    """Anything but an explicit live or draft grant stays inside."""
    return admitted.claims.connector_mode not in (ConnectorMode.LIVE, ConnectorMode.DRAFT)
