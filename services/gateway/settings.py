"""The gateway's own settings."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

MEGABYTE = 1024 * 1024


class GatewaySettings(BaseSettings):
    """`DEALIX_SECRET_KEY`, `DEALIX_HTTP_…` and `DEALIX_GATEWAY_…`."""

    model_config = SettingsConfigDict(env_prefix="DEALIX_", env_file=".env", extra="ignore")

    secret_key: SecretStr = Field(min_length=32, description="seals second factors and keeps keys as keyed hashes")
    http_host: str = Field("127.0.0.1", description="address on which the console and API listen")
    http_port: int = Field(8080, ge=0, le=65535, description="port of the console and API; 0 takes a free one")
    gateway_trusted_proxies: str = Field(
        "", description="addresses, comma-separated, whose X-Forwarded-* headers are believed; none by default"
    )
    gateway_session_idle_minutes: int = Field(
        480, ge=5, le=7 * 1440, description="minutes after which an unused session ends"
    )
    gateway_session_hours: int = Field(72, ge=1, le=720, description="hours after which every session ends")
    gateway_import_mb: int = Field(200, ge=1, le=2048, description="largest file that may be imported, in megabytes")
    gateway_body_mb: int = Field(2, ge=1, le=64, description="largest other request body, in megabytes")
    gateway_demo: bool = Field(True, description="answer the public demo pages from the example tenant")
    gateway_first_owner: str = Field("owner@demo.example", description="e-mail address of the first owner")

    gateway_public_url: str = Field(
        "http://127.0.0.1:8080",
        description="address by which browsers reach the console; the identity provider sends them back to it",
    )
    gateway_oidc_issuer: str = Field(
        "", description="issuer of the organisation's identity provider (OpenID Connect); no single sign-on when empty"
    )
    gateway_oidc_client_id: str = Field("", description="what the identity provider knows this installation by")
    gateway_oidc_client_secret: SecretStr = Field(
        SecretStr(""), description="the client's secret at the identity provider"
    )
    gateway_oidc_roles: dict[str, str] = Field(
        default_factory=dict, description='roles by group of the provider, as JSON: {"sales-leads": "approver"}'
    )
    gateway_oidc_groups_claim: str = Field("groups", description="claim of the ID token that lists a person's groups")
    gateway_oidc_strong_acr: str = Field(
        "", description="values of the provider's acr claim, comma-separated, that mean more than one factor"
    )
    gateway_oidc_ca: str = Field(
        "", description="file of the authority that signed the provider's certificate, for a private one"
    )
    gateway_oidc_tenant: UUID | None = Field(
        None, description="tenant that single sign-on leads into; the first one when not set"
    )
    gateway_oidc_session_minutes: int = Field(
        60,
        ge=5,
        le=1440,
        description="minutes after which somebody must come back from the provider: who left it is out by then",
    )
    gateway_oidc_only: bool = Field(
        False, description="accept passwords of owners only, for emergencies; everybody else signs in at the provider"
    )

    @property
    def session_idle(self) -> timedelta:
        return timedelta(minutes=self.gateway_session_idle_minutes)

    @property
    def session_life(self) -> timedelta:
        return timedelta(hours=self.gateway_session_hours)

    @property
    def import_bytes(self) -> int:
        return self.gateway_import_mb * MEGABYTE

    @property
    def body_bytes(self) -> int:
        return self.gateway_body_mb * MEGABYTE
