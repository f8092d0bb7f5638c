"""The catalogue of roles: which exist, and what each may do."""

from __future__ import annotations

from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import Field, model_validator

from libs.contracts.message import Message, Text

FILE = Path(__file__).with_suffix(".yaml")

ALL_SCOPES = "*"
"""The scope of a session, and of a key that may do whatever its roles may."""


class Reach(StrEnum):
    """How far a capability goes for a role; the widest first."""

    FULL = "full"
    LIMIT = "limit"
    OWN = "own"
    OWN_ROLE = "own_role"
    DATA_RIGHTS = "data_rights"
    STOP_ONLY = "stop_only"
    SCOPE = "scope"
    READ = "read"


class Capability(Message):
    """One row of the table; `may` names the roles that have it. Its name is also the name of an API key's scope."""

    en: Annotated[str, Field(min_length=1)]
    ar: Annotated[str, Field(min_length=1)]
    may: dict[str, Reach]


class Roles(Message):
    system_roles: dict[str, Text]
    business_roles: dict[str, Text]
    capabilities: dict[str, Capability]

    @model_validator(mode="after")
    def _only_known_roles(self) -> Roles:
        for name, capability in self.capabilities.items():
            if unknown := capability.may.keys() - self.system_roles.keys():
                raise ValueError(f"{name} names roles that do not exist: {sorted(unknown)}")
        return self

    def reach(self, roles: tuple[str, ...], scopes: tuple[str, ...], capability: str) -> Reach | None:
        """How far `capability` goes for somebody with these roles; None when not at all.

        No scope means no capability: a session has `*`. Raises KeyError for a capability that does not exist.
        """
        may = self.capabilities[capability].may
        if ALL_SCOPES not in scopes and capability not in scopes:
            return None
        found = {may[role] for role in roles if role in may}
        return next((reach for reach in Reach if reach in found), None)

    def holders(self, capability: str) -> tuple[str, ...]:
        """The roles that have a capability, for a refusal that says whom to ask."""
        return tuple(self.capabilities[capability].may)


@cache
def roles() -> Roles:
    """The whole catalogue.

    Raises pydantic.ValidationError when it is wrong.
    """
    return Roles.model_validate(yaml.safe_load(FILE.read_text(encoding="utf-8")))
