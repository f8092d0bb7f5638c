"""What must hold before a plane serves: its own credentials, TLS that verifies, the schema of this version, a clock that agrees.

Each failure is one sentence that says what is wrong; the plane then ends instead of serving in a wrong place or at a wrong time.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import nats
import nats.errors
from alembic.config import Config
from alembic.script import ScriptDirectory

from libs.contracts.catalogue.actions import effects
from libs.contracts.catalogue.plugins import PluginInvalid
from libs.contracts.message import Plane
from libs.runtime.migrate import script_location
from libs.runtime.settings import PlaneSettings, SettingsError
from libs.runtime.tls import nats_tls

CONNECT_SECONDS = 5.0


async def preflight(settings: PlaneSettings, now: Callable[[], datetime]) -> None:
    """Raises SettingsError with the first thing that is wrong."""
    await check_bus(settings)
    connection = await _connect(settings)
    try:
        await _check_role(connection, settings.plane)
        await _check_schema(connection, settings)
        await _check_clock(connection, now, settings.clock_skew_seconds)
    finally:
        await connection.close()


def check_plugins() -> None:
    """That what installed plugins declare can stand beside our own catalogue. Every plane looks, and none imports a plugin for it.

    Raises SettingsError with a sentence that names the plugin.
    """
    try:
        effects()
    except PluginInvalid as error:
        raise SettingsError(str(error)) from error


async def check_bus(settings: PlaneSettings) -> None:
    """That the server lets us in, as this plane and no other."""
    plane, where = settings.plane, _without_login(settings.nats_url)
    seed_name = f"DEALIX_{plane.value.upper()}_NATS_SEED"
    refused: list[str] = []

    async def on_error(error: Exception) -> None:
        refused.append(str(error))

    try:
        client = await nats.connect(
            settings.nats_url.split(","),
            nkeys_seed_str=settings.nats_seed,
            inbox_prefix=f"_INBOX_{plane.value}".encode(),
            tls=nats_tls(settings.nats_url, settings.nats_ca),
            allow_reconnect=False,
            max_reconnect_attempts=1,
            connect_timeout=int(CONNECT_SECONDS),
            error_cb=on_error,
        )
    except ssl.SSLError as error:
        raise SettingsError(f"The NATS server at {where} can't be trusted: {_tls_reason(error)}.") from error
    except (OSError, nats.errors.Error, ValueError, EOFError) as error:
        text = " ".join([str(error), *refused])
        if "authorization violation" in text.lower():
            raise SettingsError(f"The NATS server at {where} does not know the key in {seed_name}.") from error
        tls = next((e for e in (error, error.__cause__, error.__context__) if isinstance(e, ssl.SSLError)), None)
        if tls is not None or "certificate" in text.lower():
            raise SettingsError(f"The NATS server at {where} can't be trusted: {_tls_reason(tls or error)}.") from error
        raise SettingsError(f"The NATS server at {where} can't be reached: {error or type(error).__name__}.") from error
    except Exception as error:
        # nkeys raises bare exceptions for seeds that are none.
        raise SettingsError(f"{seed_name} is no usable NKEY seed ({type(error).__name__}).") from error
    try:
        # A key of another plane gets in, but not to this plane's replies.
        await client.subscribe(f"_INBOX_{plane.value}.preflight")
        # Twice: the first answer can be the one to the greeting, which says nothing about the subscription.
        for _ in range(2):
            await client.flush(timeout=int(CONNECT_SECONDS))
    except nats.errors.Error as error:
        raise SettingsError(f"The NATS server at {where} stopped answering: {error}.") from error
    finally:
        await client.close()
    if any("permissions violation" in text.lower() for text in refused):
        raise SettingsError(
            f"{seed_name} is not the {plane.value} plane's: the NATS server refuses it this plane's replies."
        )


async def _connect(settings: PlaneSettings) -> Any:
    name = f"DEALIX_{settings.plane.value.upper()}_DATABASE_URL"
    where = _without_login(settings.database_url)
    try:
        return await asyncpg.connect(settings.database_url, timeout=CONNECT_SECONDS)
    except ssl.SSLError as error:
        raise SettingsError(f"The database at {where} can't be trusted: {_tls_reason(error)}.") from error
    except asyncpg.InvalidAuthorizationSpecificationError as error:
        raise SettingsError(f"The database at {where} refuses the login in {name}.") from error
    except asyncpg.InvalidCatalogNameError as error:
        raise SettingsError(f"The database at {where} does not exist; run the migrator first.") from error
    except (OSError, ValueError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise SettingsError(f"The database at {where} can't be reached: {error or type(error).__name__}.") from error


async def _check_role(connection: Any, plane: Plane) -> None:
    role = await connection.fetchval("select current_user")
    if role != f"dealix_{plane.value}":
        raise SettingsError(
            f"DEALIX_{plane.value.upper()}_DATABASE_URL logs in as {role}; the {plane.value} plane serves as dealix_{plane.value} only."
        )


async def _check_schema(connection: Any, settings: PlaneSettings) -> None:
    plane = settings.plane
    location = script_location(plane)
    if not location.is_dir():
        return
    config = Config()
    config.set_main_option("script_location", str(location))
    script = ScriptDirectory.from_config(config)
    known = {revision.revision for revision in script.walk_revisions()}
    heads = set(script.get_heads())
    try:
        rows = await connection.fetch(f"select version_num from {plane.value}.alembic_version")
    except (asyncpg.UndefinedTableError, asyncpg.InvalidSchemaNameError, asyncpg.InsufficientPrivilegeError) as error:
        raise SettingsError(f"The {plane.value} schema does not exist yet; run the migrator first.") from error
    found = {row["version_num"] for row in rows}
    if found - known:
        if settings.schema_ahead == "allow":
            return
        raise SettingsError(
            f"The {plane.value} schema is at {sorted(found - known)[0]}, which this version does not know: start the version that "
            f"wrote it, or set DEALIX_SCHEMA_AHEAD=allow while rolling back."
        )
    if found != heads:
        raise SettingsError(
            f"The {plane.value} schema is at {', '.join(sorted(found)) or 'nothing'} and this version needs "
            f"{', '.join(sorted(heads))}: run the migrator first."
        )


async def _check_clock(connection: Any, now: Callable[[], datetime], limit: float) -> None:
    theirs = await connection.fetchval("select clock_timestamp()")
    seconds = (now() - theirs).total_seconds()
    if abs(seconds) > limit:
        raise SettingsError(
            f"This host's clock is {abs(seconds):.0f} s {'ahead of' if seconds > 0 else 'behind'} the database's: grants and approvals "
            f"would expire at the wrong time; synchronise the clocks."
        )


def _without_login(url: str) -> str:
    """An address that may be shown: no user, no password, no options."""
    shown = []
    for one in url.split(","):
        parts = urlsplit(one.strip())
        shown.append(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")
    return ", ".join(shown)


def _tls_reason(error: BaseException) -> str:
    return str(getattr(error, "verify_message", "") or error).rstrip(".")
