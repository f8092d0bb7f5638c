"""Who may come in: users, their sessions, API keys; and the principal that each of them is on the bus."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from libs.contracts.catalogue.roles import ALL_SCOPES
from libs.contracts.message import Principal, PrincipalKind, TenantId
from services.gateway.domain.keyring import Keyring

BY_PROVIDER = "system:oidc"
"""Who made an account that has no password here."""
SEEN_EVERY = timedelta(minutes=1)
"""How exactly the last use of a session or key is kept."""


@dataclass(frozen=True, slots=True)
class User:
    """A person. `totp_secret` is sealed; `version` is the edit that If-Match names."""

    tenant_id: TenantId
    user_id: UUID
    email: str
    name: str
    roles: tuple[str, ...]
    business_role: str | None
    password_hash: str
    must_change: bool
    totp_secret: bytes | None
    totp_on: bool
    totp_step: int
    disabled: bool
    version: int
    created_at: datetime
    created_by: str
    external_id: str | None = None
    """The person's key at the identity provider that brought them."""

    @property
    def actor(self) -> str:
        return f"user:{self.user_id}"

    def principal(self, scopes: tuple[str, ...] = (ALL_SCOPES,)) -> Principal:
        """The user on the bus: roles are those on record, never what a request says."""
        return Principal(
            id=self.actor,
            kind=PrincipalKind.USER,
            tenant_id=self.tenant_id,
            roles=self.roles,
            business_role=self.business_role,
            name=self.name,
            scopes=scopes,
        )


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. Its cookie is kept only as a keyed hash, as the session's door."""

    tenant_id: TenantId
    session_id: UUID
    user_id: UUID
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    second_factor: bool | None = None
    """Whether two factors were shown; None for a session from before this was recorded, or where a provider did not say."""
    remote: bool | None = None
    """Whether it began from a public network address."""
    by: str = ""

    def alive(self, now: datetime, idle: timedelta) -> bool:
        return now < self.expires_at and now < self.seen_at + idle

    def csrf(self, keyring: Keyring) -> str:
        """The token that this session's forms carry."""
        return keyring.mac("csrf", self.session_id.bytes).hex()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key. `personal` ones stand for their person, within their scopes; the others are clients of their own."""

    tenant_id: TenantId
    key_id: UUID
    user_id: UUID
    personal: bool
    name: str
    secret_hash: bytes
    scopes: tuple[str, ...]
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None
    used_at: datetime | None

    def expired(self, now: datetime) -> bool:
        return self.expires_at is not None and now >= self.expires_at

    def principal(self, owner: User) -> Principal:
        """Who the key is on the bus. A client key has the role `api_client` and nothing of the person who made it."""
        if self.personal:
            return owner.principal(self.scopes)
        return Principal(
            id=f"key:{self.key_id}",
            kind=PrincipalKind.API_KEY,
            tenant_id=self.tenant_id,
            roles=("api_client",),
            name=self.name,
            scopes=self.scopes,
        )


@dataclass(frozen=True, slots=True)
class Caller:
    """Somebody who proved who they are: by a session or by a key."""

    principal: Principal
    user: User
    session: Session | None = None
    key: ApiKey | None = None
