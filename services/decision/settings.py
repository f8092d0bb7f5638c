"""The decision plane's own settings."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class DecisionSettings(BaseSettings):
    """`DEALIX_DECISION_…`."""

    model_config = SettingsConfigDict(env_prefix="DEALIX_DECISION_", env_file=".env", extra="ignore")

    agent_runs_a_day: int = Field(
        5000, ge=0, le=10**7, description="runs of agents that each tenant has a day; at 100 % a person answers instead"
    )
