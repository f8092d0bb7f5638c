"""The gateway's own settings."""

from __future__ import annotations

from datetime import timedelta

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
