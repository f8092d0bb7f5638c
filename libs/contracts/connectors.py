"""Messages about connectors' settings, credentials, probes and live switches, owned by the execution plane."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from libs.contracts.message import Message, Principal, TenantId

Key = Annotated[str, Field(max_length=50)]


class SetConnector(Message):
    """How many live effects a minute; what a tenant sets counts before the connector's own rate."""

    principal: Principal
    connector: Key
    per_minute: Annotated[int, Field(ge=1, le=100_000)]


class PutCredential(Message):
    """A credential on its way to be sealed. Nothing answers with it, and it stands in no log: its text hides the values."""

    principal: Principal
    connector: Key
    values: Annotated[dict[str, str | int], Field(repr=False, max_length=20)]


class DropCredential(Message):
    principal: Principal
    connector: Key


class ProbeConnector(Message):
    """Ask the vendor, without any effect there, whether the credential works."""

    principal: Principal
    connector: Key


class SwitchLive(Message):
    """Ask to let a connector act for real: an action of its own, which people approve."""

    principal: Principal
    connector: Key
    reason: Annotated[str, Field(max_length=2000)] = ""


class LiveSwitched(Message):
    """An approved action switched a connector: operating keeps the flag."""

    tenant_id: TenantId
    action_id: UUID
    flag: str
    value: bool
    at: datetime
