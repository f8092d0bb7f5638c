"""The words of a plugin's author: what a plugin hands over, what its hooks are shown, and how they object.

A plugin is trusted code that the operator installed: it runs beside credentials. What it does is governed as everything else is.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.plugins import HookPoint as HookPoint
from services.execution.connectors.base import Connector, Sandbox
from services.execution.router import Handler


@dataclass(frozen=True, slots=True)
class Veto:
    """A hook's objection: the action is not performed. `code` is snake_case, the sentences are shown to people."""

    code: str
    en: str
    ar: str


@dataclass(frozen=True, slots=True)
class Seen:
    """An action as a hook sees it: a copy of its own, so that writing to it changes nothing.

    `outcome` is empty before trust has decided; then trust's outcome (`granted`, `parked`, `drafted`, `refused`), and after the fact
    the action's state.
    """

    point: HookPoint
    tenant_id: UUID
    action_id: UUID
    action_type: str
    effect: str
    attempt: int
    resource_type: str
    resource_id: str
    reason: str
    payload: dict[str, Any]
    outcome: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class FlowSeen:
    """A flow's transition, told after it was committed."""

    tenant_id: UUID
    flow_id: UUID
    flow: str
    seq: int
    state: str
    note: str
    at: datetime


Hook = Callable[[Any], Awaitable[Veto | None]]
"""Gets a `Seen`, or a `FlowSeen` for `on_flow_transition`. Only what comes before dispatch is asked for a veto."""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a connector of a plugin is made with. Requests go through `connectors.http.send` and an allow-list of the connector's own."""

    sandbox: Sandbox
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True)
class Plugin:
    """What the entry point names. It must hand over exactly what its `plugin.yaml` declares: a handler for each task type whose effect
    stays inside, a connector for each that an effect names, a hook for each point."""

    handlers: Mapping[str, Handler] = field(default_factory=dict)
    versions: Mapping[str, Mapping[str, Handler]] = field(default_factory=dict)
    """Further versions of handlers, by task type and version, for canaries. Of connectors with one key the first is the usual one."""
    connectors: Sequence[Callable[[Tools], Connector]] = ()
    hooks: Mapping[HookPoint, Hook] = field(default_factory=dict)
