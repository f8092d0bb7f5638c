"""Control: who may pause what, and what a command comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from libs.contracts.catalogue.actions import effects
from libs.contracts.execution import ControlRow
from libs.contracts.message import PLATFORM, Plane, Principal, PrincipalKind, TenantId
from libs.contracts.operating import ControlCommand, ControlState
from services.operating.errors import ControlForbidden, ForeignTenant, UnknownCommand, UnknownScope, UnknownTarget

EVERYTHING = "*"

ENFORCERS = (Plane.EXECUTION,)
"""The planes that must acknowledge a control before it counts as in force: those through which effects leave."""


class Command(StrEnum):
    PAUSE = "pause"
    STOP = "stop"
    RESUME = "resume"


class Scope(StrEnum):
    ALL = "all"
    TENANT = "tenant"
    CONNECTOR = "connector"
    ACTION_TYPE = "action_type"


_OPERATORS = frozenset({"owner", "admin", "operator"})

MAY: dict[Command, frozenset[str]] = {
    Command.PAUSE: _OPERATORS,
    Command.STOP: _OPERATORS | {"compliance_officer"},
    Command.RESUME: _OPERATORS,
}
"""The row "control" of the table of roles: a compliance officer may stop, and not undo it."""


@dataclass(frozen=True, slots=True)
class Order:
    """A command that is understood and allowed: this thing of this tenant is paused, or not any more."""

    tenant_id: TenantId
    scope: Scope
    target: str
    command: Command
    actor: str
    reason: str

    @property
    def paused(self) -> bool:
        return self.command is not Command.RESUME


@dataclass(frozen=True, slots=True)
class Control:
    """A control row: what is asked for, at which version, and which version each enforcing plane has acknowledged."""

    control_id: UUID
    tenant_id: TenantId
    scope: str
    target: str
    paused: bool
    version: int
    changed_by: str
    changed_at: datetime
    acknowledged: dict[Plane, int] = field(default_factory=dict)

    def row(self) -> ControlRow:
        """The control as enforcing planes are told."""
        return ControlRow(
            tenant_id=self.tenant_id, scope=self.scope, target=self.target, paused=self.paused, version=self.version
        )

    def state(self, reader: TenantId) -> ControlState:
        """The control as a principal of tenant `reader` may see it: who works for the platform stays unnamed to tenants."""
        return ControlState(
            scope=self.scope,
            target=self.target,
            paused=self.paused,
            version=self.version,
            changed_by=self.changed_by if self.tenant_id == reader else "platform",
            changed_at=self.changed_at,
            acknowledged={plane.value: self.acknowledged.get(plane) == self.version for plane in ENFORCERS},
        )

    def concerns(self, tenant: TenantId) -> bool:
        """Whether the control holds something of this tenant."""
        if self.tenant_id == tenant:
            return True
        return self.tenant_id == PLATFORM and (self.scope != Scope.TENANT or self.target == str(tenant))


def understand(command: ControlCommand) -> Order:
    """What a command comes to.

    Raises ControlForbidden, ForeignTenant, and UnknownCommand, UnknownScope, UnknownTarget for what does not exist.
    """
    try:
        verb = Command(command.command)
    except ValueError as error:
        raise UnknownCommand from error
    try:
        scope = Scope(command.scope)
    except ValueError as error:
        raise UnknownScope from error
    _require_role(command.principal, verb)
    return Order(
        tenant_id=command.principal.tenant_id,
        scope=scope,
        target=_target(scope, command.target, command.principal),
        command=verb,
        actor=command.principal.id,
        reason=command.reason,
    )


def _require_role(principal: Principal, verb: Command) -> None:
    if principal.kind is PrincipalKind.AGENT or not MAY[verb] & set(principal.roles):
        raise ControlForbidden(verb.value)


def _target(scope: Scope, target: str, principal: Principal) -> str:
    """The target as enforcing planes compare it. A name that nothing has is refused: it would pause nothing."""
    if scope is Scope.ALL:
        if target != EVERYTHING:
            raise UnknownTarget(scope.value, target)
        return EVERYTHING
    if scope is Scope.TENANT:
        return _tenant(target, principal)
    known = effects()
    names = set(known) if scope is Scope.ACTION_TYPE else {e.connector for e in known.values() if e.connector != "none"}
    if target not in names:
        raise UnknownTarget(scope.value, target)
    return target


def _tenant(target: str, principal: Principal) -> str:
    try:
        tenant = principal.tenant_id if target == EVERYTHING else UUID(target)
    except ValueError as error:
        raise UnknownTarget(Scope.TENANT.value, target) from error
    if tenant == PLATFORM:
        raise UnknownTarget(Scope.TENANT.value, target)
    if principal.tenant_id not in (tenant, PLATFORM):
        raise ForeignTenant
    return str(tenant)
