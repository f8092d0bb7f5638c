"""What an inbox holds: the kinds of things that wait for a person, whom they concern, and how near their time they are shown."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from libs.contracts.catalogue.roles import roles
from libs.contracts.inbox import InboxKind
from libs.contracts.message import Message, Principal

FILE = Path(__file__).with_suffix(".yaml")


class InboxRule(Message):
    """One kind. `roles` see what is assigned to nobody; hours are as the file says."""

    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    roles: tuple[str, ...]
    due_hours: Annotated[float, Field(gt=0)] | None = None
    near_hours: Annotated[float, Field(gt=0)] | None = None


class Inbox(Message):
    every_kind: tuple[str, ...]
    within_days: Annotated[int, Field(ge=1, le=365)]
    most: Annotated[int, Field(ge=1, le=1000)]
    kinds: dict[InboxKind, InboxRule]

    @model_validator(mode="after")
    def _whole(self) -> Inbox:
        if set(self.kinds) != set(InboxKind):
            raise ValueError("every kind is described once")
        named = {role for rule in self.kinds.values() for role in rule.roles}
        if not named <= set(roles().business_roles) or not set(self.every_kind) <= set(roles().system_roles):
            raise ValueError("a role that there is not")
        return self

    def unassigned(self, who: Principal) -> frozenset[InboxKind]:
        """The kinds of which a person sees what is assigned to nobody."""
        if who.business_role is None or set(self.every_kind) & set(who.roles):
            return frozenset(InboxKind)
        return frozenset(kind for kind, rule in self.kinds.items() if who.business_role in rule.roles)


@cache
def inbox() -> Inbox:
    """Raises pydantic.ValidationError when the catalogue is wrong."""
    return Inbox.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
