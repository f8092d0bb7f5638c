"""What the real system needs before its planes start: the NATS users' rights, streams, roles, schemas and tables.

Imports are inside the functions: SQLAlchemy and Alembic would double the start of every other command.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from dev.messages import DealixError, Sentence, StartFailed
from dev.state import SystemState, ready_report

if TYPE_CHECKING:
    from dev.supervisor import Prepared

SETTLE_SECONDS = 15.0


def authorization(public_keys: Mapping[str, str]) -> str:
    """The authorization block of the embedded NATS server, from the subjects that each plane declares."""
    from libs.runtime.nats_config import authorization as render

    return render(public_keys)


async def prepare(prepared: Prepared) -> Sequence[Sentence]:
    """Bring roles, schemas, tables, streams and consumers up to this version. Raises StartFailed."""
    await _migrate(prepared)
    await _ensure_streams(prepared)
    return ()


async def settle(state: SystemState) -> None:
    """Wait until the gateway says that every plane answers it and that there is an owner, or for SETTLE_SECONDS.

    After that the system goes on as it is: `dealix status` says what is missing.
    """
    until = time.monotonic() + SETTLE_SECONDS
    while state.console and time.monotonic() < until:
        report = await asyncio.to_thread(ready_report, state.console)
        if report["status"] == 200:
            return
        await asyncio.sleep(0.1)


async def _migrate(prepared: Prepared) -> None:
    import asyncpg

    from libs.runtime.migrate import MigrationError, migrate

    database = urlsplit(prepared.admin_url).path.strip("/")
    try:
        await migrate(prepared.admin_url, prepared.secrets.database_passwords, database=database)
    except MigrationError as error:
        raise StartFailed(
            f"The database could not be migrated: {error}",
            f"تعذّر تحديث قاعدة البيانات: {error}",
        ) from error
    except (OSError, asyncpg.InvalidAuthorizationSpecificationError, asyncpg.CannotConnectNowError) as error:
        raise _unreachable("DEALIX_DATABASE_URL", error) from error


async def _ensure_streams(prepared: Prepared) -> None:
    import nats
    import nats.errors

    from dev.secrets import MIGRATOR
    from libs.runtime.migrate import ensure_streams
    from libs.runtime.settings import SettingsError
    from libs.runtime.tls import nats_tls

    seed = prepared.secrets.nats_seeds[MIGRATOR]
    try:
        # A client that may reconnect tries an absent server for minutes: ask once first.
        probe = await nats.connect(
            prepared.nats_url.split(","),
            nkeys_seed_str=seed,
            allow_reconnect=False,
            max_reconnect_attempts=1,
            reconnect_time_wait=0.2,
            connect_timeout=3,
            error_cb=_no_log,
            tls=nats_tls(prepared.nats_url, prepared.nats_ca),
        )
        await probe.close()
        await ensure_streams(prepared.nats_url, seed, ca=prepared.nats_ca)
    except SettingsError as error:
        raise StartFailed(str(error), f"تعذّر استخدام DEALIX_NATS_CA: {error}") from error
    except (OSError, nats.errors.Error) as error:
        raise _unreachable("DEALIX_NATS_URL", error) from error


async def _no_log(_: Exception) -> None:
    """The refusal is raised as well; the client's own traceback would only hide the sentence."""


def _unreachable(variable: str, error: Exception) -> DealixError:
    why = str(error) or type(error).__name__
    return StartFailed(
        f"The server of {variable} refuses the connection ({why}); check the address and the credentials.",
        f"رفض الخادم في {variable} الاتصال ({why})؛ تحقّق من العنوان وبيانات الدخول.",
    )
