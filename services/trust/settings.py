"""Trust's own settings."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class TrustSettings(BaseSettings):
    """`DEALIX_TRUST_…`; the signing keys reach this plane alone."""

    model_config = SettingsConfigDict(env_prefix="DEALIX_TRUST_", env_file=".env", extra="ignore")

    keys: str = Field(description="signing keys, as JSON; generated and kept in the data directory when embedded")
    keys_file: Path | None = Field(
        None, description="file with the signing keys, read again when it changes: rotation without a stop"
    )
    origin: str = Field("dealix.example/log", description="prefix of the logs' origin lines")
    checkpoint_seconds: float = Field(
        5.0, gt=0, le=10, description="longest time until something new is under a signed checkpoint"
    )
    reconcile_seconds: float = Field(60.0, ge=1, description="time between two looks at vendors' own logs")
    grant_seconds: int = Field(120, ge=5, le=600, description="lifetime of a grant")
