"""The migrator as a program of its own (`python -m libs.runtime.migrator`): what a cluster runs before a rollout.

It alone holds the administrator's login and the NATS user that makes streams. Expand and contract: it only adds what the version
that still runs does not know, so that old and new replicas serve beside each other; a later version removes.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import asyncpg
import nats.errors
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.runtime.migrate import MigrationError, ensure_streams, migrate
from libs.runtime.settings import VERSION, SettingsError, adopt_secret_files


class MigratorSettings(BaseSettings):
    """What the migrator needs."""

    model_config = SettingsConfigDict(env_prefix="DEALIX_", env_file=".env", extra="ignore")

    database_url: Annotated[str, Field(pattern=r"^postgres(ql)?://")]
    migrator_nats_seed: str
    nats_url: str = "nats://127.0.0.1:4222"
    nats_ca: Path | None = None
    stream_replicas: Annotated[int, Field(ge=1, le=5)] = 1
    migrator_passwords: dict[str, str] = {}
    """Passwords of the planes' roles, as JSON by plane; empty where an operator keeps the roles."""


async def run() -> None:
    """Migrate, then make streams. Raises SettingsError, MigrationError with one sentence."""
    adopt_secret_files(os.environ)
    try:
        settings = MigratorSettings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "DEALIX_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name} is missing or unusable: {first['msg']}.") from error
    database = urlsplit(settings.database_url).path.strip("/")
    try:
        await migrate(settings.database_url, settings.migrator_passwords, database=database)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise MigrationError(f"The database could not be migrated: {error or type(error).__name__}") from error
    try:
        await ensure_streams(
            settings.nats_url, settings.migrator_nats_seed, replicas=settings.stream_replicas, ca=settings.nats_ca
        )
    except (OSError, nats.errors.Error) as error:
        raise MigrationError(f"The streams could not be made: {error or type(error).__name__}") from error


def main() -> int:
    """0 when everything is at this version, 2 with a sentence when it is not."""
    try:
        asyncio.run(run())
    except (SettingsError, MigrationError) as error:
        print(f"dealix: {error}", file=sys.stderr)
        return 2
    print(json.dumps({"migrated": VERSION}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
