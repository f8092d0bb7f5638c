"""Settings that every plane reads from the environment (prefix `DEALIX_`, `.env` read)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.contracts.message import Plane

VERSION = "0.1.0"


class SettingsError(Exception):
    """A setting is missing or makes no sense; the message is one sentence that says which and why."""


class RuntimeSettings(BaseSettings):
    """What plumbing needs. The plane's own credentials come by `DEALIX_<PLANE>_…`, so that no plane sees another's."""

    model_config = SettingsConfigDict(env_prefix="DEALIX_", env_file=".env", extra="ignore")

    nats_url: str = Field("nats://127.0.0.1:4222", description="NATS server or comma-separated servers")
    data_dir: Path = Field(Path(".dealix"), description="where embedded servers, logs and secrets live")
    ready_file: Path | None = Field(None, description="written once the plane serves")
    lang: str = Field("ar", pattern="^(ar|en)$", description="language of command line and pages without a choice")
    trace_ratio: float = Field(1.0, ge=0, le=1, description="share of traces kept")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="log level")
    database_pool: int = Field(12, ge=2, le=100, description="connections to PostgreSQL, at most, per plane")


class PlaneSettings(RuntimeSettings):
    """The runtime's settings together with one plane's credentials."""

    plane: Plane
    nats_seed: str
    database_url: str


def load(plane: Plane) -> PlaneSettings:
    """Settings of `plane` from the environment.

    Raises SettingsError naming the first setting that is missing or unusable.
    """
    prefix = f"DEALIX_{plane.value.upper()}_"
    credentials: dict[str, Any] = {}
    for name in ("NATS_SEED", "DATABASE_URL"):
        value = os.environ.get(prefix + name, "")
        if not value:
            raise SettingsError(f"{prefix}{name} is not set: the {plane.value} plane has no credentials of its own.")
        credentials[name.lower()] = value
    try:
        return PlaneSettings(plane=plane, **credentials)
    except ValidationError as error:
        first = error.errors()[0]
        name = "DEALIX_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name} is unusable: {first['msg']}.") from error
