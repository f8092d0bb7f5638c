"""What a plane may say of the credentials that it runs with, so that a launch can be judged: names and public parts, never a secret."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from libs.contracts.launch import CredentialsRequest, OwnCredentials
from libs.contracts.message import Plane
from libs.runtime.links import is_local
from libs.runtime.nats_config import public_key

if TYPE_CHECKING:
    from libs.runtime.plane import Runtime

SHORTEST = 16
FEWEST = 8
"""A secret with fewer different characters than this follows a pattern (house limits, both)."""
_NAMED = re.compile(r"^DEALIX_([A-Z_]+_)?(SECRET_KEY|NATS_SEED|DATABASE_URL|PASSWORD|CLIENT_SECRET|TOKEN|PASSPHRASE)$")
# What installations are delivered with, or what people type where they mean to come back.
_DEFAULTS = re.compile(
    r"change[-_ ]?me|default|example|password|postgres|secret|dealix|replace|insecure", re.IGNORECASE
)


async def own_credentials(runtime: Runtime, _: CredentialsRequest) -> OwnCredentials:
    """This plane's, as they are in force now. The database itself says which role it let in."""
    async with runtime.database.batch() as work:
        user = str(await work.connection.fetchval("select current_user"))
    looked, weak = weak_secrets(os.environ)
    return OwnCredentials(
        instance=runtime.instance,
        database_user=user,
        nats_user=public_key(runtime.settings.nats_seed),
        secrets=looked,
        weak=weak,
        plain_addresses=plain_addresses(os.environ) if runtime.plane is Plane.GATEWAY else (),
    )


def weak_secrets(environ: Mapping[str, str]) -> tuple[int, tuple[str, ...]]:
    """How many secrets there are, and the settings whose secret is short, regular or a known default."""
    found = {name: _secret(name, value) for name, value in environ.items() if _NAMED.match(name) and value}
    return len(found), tuple(sorted(name for name, secret in found.items() if is_weak(secret)))


def is_weak(secret: str) -> bool:
    """Whether somebody could guess it. An empty one is weak."""
    return len(secret) < SHORTEST or len(set(secret)) < FEWEST or _DEFAULTS.search(secret) is not None


def plain_addresses(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Where browsers reach the console without TLS from beyond this host; nothing when they can't."""
    given = environ.get("DEALIX_GATEWAY_PUBLIC_URL", "")
    if given and not is_local(urlsplit(given).hostname):
        return () if given.startswith("https://") else (given,)
    bound = environ.get("DEALIX_HTTP_HOST", "127.0.0.1")
    return () if is_local(bound) else (f"http://{bound}",)


def _secret(name: str, value: str) -> str:
    """The secret itself: of a database's address its password."""
    return (urlsplit(value).password or "") if name.endswith("DATABASE_URL") else value
