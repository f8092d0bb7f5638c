"""Operating's own settings."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class OperatingSettings(BaseSettings):
    """`DEALIX_OPERATING_…`."""

    model_config = SettingsConfigDict(env_prefix="DEALIX_OPERATING_", env_file=".env", extra="ignore")

    spans_kept: int = Field(
        200_000, ge=1_000, le=20_000_000, description="finished spans kept for the traces page, at most"
    )
    spans_hours: float = Field(24.0, gt=0, le=24 * 30, description="hours for which spans are kept, at most")
