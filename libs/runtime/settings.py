"""Settings that every plane reads from the environment (prefix `DEALIX_`, `.env` read)."""

from __future__ import annotations

import os
import re
from collections.abc import MutableMapping
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
    environment: str = Field(
        "production",
        pattern="^(production|staging|development)$",
        description="what this installation is for; in production and staging no connector goes live while a launch gate is open",
    )
    lang: str = Field("ar", pattern="^(ar|en)$", description="language of command line and pages without a choice")
    trace_ratio: float = Field(1.0, ge=0, le=1, description="share of traces kept")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="log level")
    health_host: str = Field("0.0.0.0", description="address of the plane's own health and metrics page")
    health_port: int | None = Field(
        None, ge=0, le=65535, description="port of /healthz, /readyz and /metrics of each plane; none when not set"
    )
    nats_ca: Path | None = Field(None, description="file of the authority that signed the NATS server's certificate")
    secrets_dir: Path | None = Field(
        None, description="directory of files, each named as a setting and holding its value, e.g. a mounted secret"
    )
    clock_skew_seconds: float = Field(
        30.0, gt=0, description="how far this host's clock may be from the database's before a plane refuses to serve"
    )
    schema_ahead: str = Field(
        "refuse",
        pattern="^(refuse|allow)$",
        description="whether to serve on a schema newer than this version; allow it for a rollback only",
    )
    database_pool: int = Field(12, ge=2, le=100, description="connections to PostgreSQL, at most, per plane")
    read_max_age_seconds: float = Field(
        10.0,
        gt=0,
        le=600,
        description="how old an answer of the read-only copy (DEALIX_<PLANE>_READ_DATABASE_URL) may be",
    )


class PlaneSettings(RuntimeSettings):
    """The runtime's settings together with one plane's credentials."""

    plane: Plane
    nats_seed: str
    database_url: str
    read_database_url: str = ""
    """A standby of the same database, for metrics; the primary answers where there is none."""


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
    # Given also when empty: pydantic would otherwise take one that names no plane.
    copy = credentials["read_database_url"] = os.environ.get(f"{prefix}READ_DATABASE_URL", "")
    if copy and not copy.startswith(("postgresql://", "postgres://")):
        raise SettingsError(f"{prefix}READ_DATABASE_URL is unusable: not a PostgreSQL address.")
    try:
        return PlaneSettings(plane=plane, **credentials)
    except ValidationError as error:
        first = error.errors()[0]
        name = "DEALIX_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name} is unusable: {first['msg']}.") from error


_SETTING_FILE = re.compile(r"^(DEALIX_[A-Z_]+|OTEL_[A-Z_]+)$")
# Besides what a plane's name begins. Found with another plane the mount is wrong, and serving would undo the separation.
_HELD_BY = {
    "DEALIX_SECRET_KEY": {Plane.GATEWAY, Plane.EXECUTION},
    "DEALIX_DATABASE_URL": set[Plane](),
    "DEALIX_MIGRATOR_PASSWORDS": set[Plane](),
    "DEALIX_MIGRATOR_NATS_SEED": set[Plane](),
}


def adopt_secret_files(environ: MutableMapping[str, str], *planes: Plane) -> None:
    """Take settings from the files of `DEALIX_SECRETS_DIR` into `environ`; what is set there already stays.

    Raises SettingsError when the directory can't be read, or when it holds what belongs to another plane.
    """
    named = environ.get("DEALIX_SECRETS_DIR", "")
    if not named:
        return
    try:
        files = sorted(path for path in Path(named).iterdir() if _SETTING_FILE.match(path.name))
        found = {path.name: path.read_text(encoding="utf-8").strip() for path in files}
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not text"
        raise SettingsError(f"DEALIX_SECRETS_DIR ({named}) can't be read: {why}.") from error
    for name in found:
        holders = _holders(name)
        if holders is not None and holders != set(planes) and not holders & set(planes):
            raise SettingsError(
                f"{named}/{name} belongs to {_names(holders)}: the {_names(set(planes))} plane must not hold it."
            )
    for name, value in found.items():
        environ.setdefault(name, value)


def _holders(name: str) -> set[Plane] | None:
    if name in _HELD_BY:
        return _HELD_BY[name]
    if name == "DEALIX_DATA_DIR":
        return None
    if name.startswith("DEALIX_LLM_"):
        return {Plane.EXECUTION}  # models' keys: every question to one leaves from there
    return next(({plane} for plane in Plane if name.startswith(f"DEALIX_{plane.value.upper()}_")), None)


def _names(planes: set[Plane]) -> str:
    return " and ".join(sorted(plane.value for plane in planes)) or "the migrator"
