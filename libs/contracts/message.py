"""The base of every message, and the small values that many of them carry."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from hashlib import sha256
from typing import Annotated, Any
from uuid import UUID

import uuid_utils.compat
from pydantic import BaseModel, ConfigDict, Field


class Message(BaseModel):
    """Everything that crosses the bus: immutable, and closed to fields nobody declared."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def evolve(self, **changes: Any) -> Any:
        """A validated copy with some fields changed.

        Raises pydantic.ValidationError when a change does not fit the model.
        """
        return type(self).model_validate({**dict(self), **changes})


def new_id() -> UUID:
    """A UUIDv7 (RFC 9562 section 5.7): time-ordered, made by the application."""
    return uuid_utils.compat.uuid7()


def first_id(at: datetime) -> UUID:
    """The least id of a moment, to the millisecond: where a range of ids begins, and a base for `derived_id` of what was then."""
    return UUID(int=max(0, int(at.timestamp() * 1000)) << 80)


def derived_id(base: UUID, *parts: object) -> UUID:
    """An id that follows from `base` and `parts`: the same ones give the same id. It keeps the time of `base`, so that both are of one month.

    A UUIDv8 (RFC 9562 section 5.8): 48 bits of `base`, then bits of SHA-256 over `base` and the parts.
    """
    digest = sha256(base.bytes + ":".join(str(part) for part in parts).encode()).digest()
    value = (base.int >> 80 << 80) | int.from_bytes(digest[:10])
    return UUID(int=value & ~(0xF << 76) & ~(0x3 << 62) | (0x8 << 76) | (0x2 << 62))


TenantId = UUID

PLATFORM: UUID = UUID(int=0)
"""Stands where a tenant would, for what belongs to the operator of the whole system."""


class Plane(StrEnum):
    """The deployables. The value is the schema, the role, the NATS user and the folder under services/."""

    DECISION = "decision"
    EXECUTION = "execution"
    TRUST = "trust"
    DATA = "data"
    OPERATING = "operating"
    GATEWAY = "gateway"


class Text(Message):
    """A sentence for a person, written in both languages by a person."""

    en: str
    ar: str


class Reason(Message):
    """Why something was decided: a stable code for machines and a sentence for people."""

    code: str
    en: str
    ar: str
    policy_id: str | None = None


class PrincipalKind(StrEnum):
    USER = "user"
    API_KEY = "api_key"
    AGENT = "agent"
    SYSTEM = "system"


class Principal(Message):
    """Who asks. Made by the gateway from a session or key, or by a plane for its own agents; never by a client."""

    id: str
    kind: PrincipalKind
    tenant_id: TenantId
    roles: tuple[str, ...] = ()
    business_role: str | None = None
    name: str = ""
    scopes: tuple[str, ...] = ()


class Money(Message):
    """An amount with its currency; two decimals, never a float."""

    amount: Annotated[Decimal, Field(max_digits=12, decimal_places=2)]
    currency: str = "SAR"


class Provenance(Message):
    """Where a recommendation came from. `confidence` and `freshness_hours` are computed by whoever fills this in."""

    generated_at: datetime
    generated_by: str
    model_provider: str
    model_id: str
    prompt_version: str
    confidence: Annotated[float, Field(ge=0, le=1)]
    freshness_hours: Annotated[float, Field(ge=0)]
    trace_id: str = ""
    sources: tuple[str, ...] = ()
    policy_version: str = ""


class Fault(Message):
    """What a caller gets when a plane could not answer: never a stack trace, always a code."""

    code: str
    message: str
    message_ar: str = ""
    status: int = 500
    retryable: bool = False


class Ok(Message):
    """The reply of a call that has nothing more to say than that it happened."""

    ok: bool = True


class Page(Message):
    """Where a list goes on: an opaque cursor and how many items at most."""

    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50
