"""A scope as it is written, and what it selects. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.controls import controls
from services.trust.ledger.domain.records import EntryFilter
from services.trust.scopes.errors import EvidenceScope, UnknownScope

LEDGER = "ledger"


class ScopeKind(StrEnum):
    ACTION = "action"
    PERIOD = "period"
    FLOW = "flow"
    DEAL = "deal"
    CONTROL = "control"


NAMED = frozenset({ScopeKind.FLOW, ScopeKind.DEAL})
"""Kinds whose entries bear other names as well: those of actions and records that belong to them."""


@dataclass(frozen=True, slots=True)
class Scope:
    """`text` is the one way to write it; `since` and `until` are a period's."""

    kind: ScopeKind
    value: str
    since: datetime | None = None
    until: datetime | None = None

    @property
    def text(self) -> str:
        return f"{self.kind.value}:{self.value}"

    @property
    def id(self) -> UUID:
        return UUID(self.value)

    @property
    def complete(self) -> bool:
        """Whether every entry has to be under a checkpoint. A period may still be going on: its newest are left to the next pack."""
        return self.kind is not ScopeKind.PERIOD


def parse(text: str) -> Scope:
    """Read a scope; `period` is whole days in Riyadh, both included.

    Raises EvidenceScope, and UnknownScope for a control that the catalogue does not have.
    """
    written, _, value = text.strip().partition(":")
    try:
        kind = ScopeKind(written)
        if kind is ScopeKind.PERIOD:
            first, _, last = value.partition("..")
            since = datetime.combine(date.fromisoformat(first), time(), RIYADH)
            until = datetime.combine(date.fromisoformat(last), time(), RIYADH) + timedelta(days=1)
            if since >= until:
                raise EvidenceScope
            return Scope(kind, f"{date.fromisoformat(first)}..{date.fromisoformat(last)}", since, until)
        if kind is not ScopeKind.CONTROL:
            return Scope(kind, str(UUID(value)))
    except (ValueError, OverflowError) as error:
        raise EvidenceScope from error
    if value not in controls():
        raise UnknownScope
    return Scope(kind, value)


@dataclass(frozen=True, slots=True)
class Asked:
    """What another plane said belongs to a scope: names that entries may bear, and actions."""

    call: str
    names: tuple[str, ...] = ()
    actions: tuple[UUID, ...] = ()

    @property
    def plane(self) -> str:
        return self.call.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Selected:
    """Which entries belong to a scope, and on whose word. The scope's own name is the ledger's word: entries bear it themselves."""

    scope: Scope
    asked: tuple[Asked, ...] = ()
    recorded: tuple[UUID, ...] = field(default=())
    """Actions whose decision says in the ledger that it is of this flow or about this deal."""

    @property
    def names(self) -> Mapping[str, str]:
        """Each name that an entry of the scope may bear, with who says that it belongs to it."""
        found = {self.scope.text: LEDGER}
        for one in self.asked:
            for name in one.names:
                found.setdefault(name, one.plane)
        return found

    @property
    def actions(self) -> Mapping[str, str]:
        """Each action of the scope, with who says so. The ledger's word goes before another plane's."""
        found = {str(action): LEDGER for action in self.recorded}
        for one in self.asked:
            for action in one.actions:
                found.setdefault(str(action), one.plane)
        return found

    def filters(self, tenant: UUID) -> list[EntryFilter]:
        """What of the ledger to read."""
        scope = self.scope
        if scope.kind is ScopeKind.PERIOD:
            return [EntryFilter(tenant_id=tenant, since=scope.since, until=scope.until)]
        targets = (*self.names, *(f"action:{one}" for one in self.actions))
        return [EntryFilter(tenant_id=tenant, targets=targets)]

    def manifest(self) -> dict[str, Any] | None:
        """What a pack says about its selection; None where the scope alone says what belongs to it."""
        if self.scope.kind not in NAMED:
            return None
        return {
            "names": dict(sorted(self.names.items())),
            "actions": dict(sorted(self.actions.items())),
            "asked": [one.call for one in self.asked],
        }
