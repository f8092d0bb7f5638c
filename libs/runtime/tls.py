"""TLS towards the NATS server."""

from __future__ import annotations

import ssl
from pathlib import Path
from urllib.parse import urlsplit

from libs.runtime.settings import SettingsError


def nats_tls(url: str, ca: Path | None) -> ssl.SSLContext | None:
    """The context for `url` (one address or several, comma-separated); None when no address asks for TLS and no authority is named.

    The server's name is always checked. Raises SettingsError when `ca` can't be used.
    """
    wanted = any(urlsplit(one.strip()).scheme in ("tls", "wss") for one in url.split(","))
    if not wanted and ca is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(ca) if ca else None)
    except (OSError, ssl.SSLError) as error:
        raise SettingsError(f"DEALIX_NATS_CA ({ca}) is no readable certificate: {error}.") from error
