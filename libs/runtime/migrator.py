"""The migrator as a program of its own (`python -m libs.runtime.migrator`): what a cluster runs before a rollout.

With `--roll-over` it only makes the partitions of the months to come, which a cluster has it do every day.

It alone holds the administrator's login and the NATS user that makes streams. Expand and contract: it only adds what the version
that still runs does not know, so that old and new replicas serve beside each other; a later version removes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import asyncpg
import nats.errors
from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.runtime.migrate import MIGRATING, MigrationError, ensure_streams, migrate
from libs.runtime.partitions import roll_over, utc_today
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


def _settings() -> MigratorSettings:
    adopt_secret_files(os.environ)
    try:
        return MigratorSettings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "DEALIX_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name} is missing or unusable: {first['msg']}.") from error


async def months() -> list[str]:
    """Make the partitions that are missing; returns their names. Raises SettingsError, MigrationError with one sentence."""
    try:
        connection = await asyncpg.connect(_settings().database_url)
        try:
            await connection.execute("select pg_advisory_lock($1)", MIGRATING)
            return await roll_over(connection, utc_today())
        finally:
            await connection.close()
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise MigrationError(f"Partitions could not be made: {error or type(error).__name__}") from error


async def run() -> None:
    """Migrate, then make streams. Raises SettingsError, MigrationError with one sentence."""
    settings = _settings()
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


def main(arguments: Sequence[str]) -> int:
    """0 when everything is at this version, 2 with a sentence when it is not."""
    parser = argparse.ArgumentParser(prog="python -m libs.runtime.migrator", description=__doc__)
    parser.add_argument("--roll-over", action="store_true", help="only make the partitions of the months to come")
    try:
        if parser.parse_args(arguments).roll_over:
            print(json.dumps({"made": asyncio.run(months())}))
        else:
            asyncio.run(run())
            print(json.dumps({"migrated": VERSION}))
    except (SettingsError, MigrationError) as error:
        print(f"dealix: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
