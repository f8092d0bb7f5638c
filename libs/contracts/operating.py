"""Messages owned by the operating plane: health, control, flags, traces."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from pydantic import Field

from libs.contracts.message import Message, Plane, Principal, TenantId


class HealthReported(Message):
    """A plane's heartbeat. Silence for three intervals means `unknown`, never healthy."""

    plane: Plane
    instance: str
    version: str
    at: datetime
    healthy: bool
    checks: dict[str, str] = {}


class PlaneHealth(Message):
    plane: Plane
    status: str
    instances: int
    version: str | None
    last_seen_at: datetime | None
    checks: dict[str, str] = {}


class HealthRequest(Message):
    pass


class HealthReply(Message):
    planes: tuple[PlaneHealth, ...]


class ControlCommand(Message):
    """`scope` is `all`, `connector`, `action_type` or `tenant`; `command` is `pause`, `stop` or `resume`."""

    principal: Principal
    scope: str
    target: Annotated[str, Field(max_length=100)] = "*"
    command: str
    reason: Annotated[str, Field(max_length=500)] = ""


class ControlState(Message):
    """What was asked for, and which planes have said that they do it."""

    scope: str
    target: str
    paused: bool
    version: int
    changed_by: str
    changed_at: datetime
    acknowledged: dict[str, bool] = {}


class ControlList(Message):
    principal: Principal


class ControlListReply(Message):
    items: tuple[ControlState, ...]


class FlagsRequest(Message):
    tenant_id: TenantId


class FlagsReply(Message):
    """Flags in force for the tenant. Live-effect flags are named `live.<connector>` and are off unless present and true."""

    flags: dict[str, bool]
    version: int


class SetFlag(Message):
    """Change a flag of the principal's tenant; after `expires_at` the flag is as if nothing had been said.

    A live flag can be switched off this way, never on: that is the action `live_flag_change`, with its approval.
    """

    principal: Principal
    name: Annotated[str, Field(max_length=100)]
    value: bool
    expires_at: datetime | None = None


class SpanRecord(Message):
    """A finished span. Attributes hold ids and sizes, never personal data."""

    trace_id: str
    span_id: str
    parent_id: str | None
    plane: Plane
    name: str
    kind: str
    start_ns: int
    end_ns: int
    ok: bool
    attributes: dict[str, Any] = {}
    links: tuple[str, ...] = ()


class SpansExported(Message):
    plane: Plane
    spans: tuple[SpanRecord, ...]


class TraceRequest(Message):
    principal: Principal
    trace_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=20)]


class TraceReply(Message):
    spans: tuple[SpanRecord, ...]


class PingRequest(Message):
    pass


class PingReply(Message):
    plane: Plane
    version: str
    instance: str
    checks: dict[str, str]
