"""Which mail servers a tenant may name: any on the internet with encryption; inside, only those that the operator allows.

Without this a tenant's credential could make execution speak to the operator's own servers.
"""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
from collections.abc import Collection

from services.execution.live.errors import PrivateHost

SETTING = "DEALIX_CONNECTOR_PRIVATE_HOSTS"


def allowed_hosts() -> frozenset[str]:
    """Hosts inside the operator's network that tenants may name: names as they write them, separated by commas."""
    return frozenset(filter(None, (name.strip().lower() for name in os.environ.get(SETTING, "").split(","))))


async def require_reachable(host: str, port: int, tls: str, allowed: Collection[str]) -> None:
    """Raises PrivateHost for a host that resolves to an address which is not of the internet, or that wants no encryption.

    A name that does not resolve is for the connection to fail on.
    """
    if host.strip().lower() in allowed:
        return
    if tls == "none":
        raise PrivateHost
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        return
    if not all(ipaddress.ip_address(str(entry[4][0]).partition("%")[0]).is_global for entry in found):
        raise PrivateHost
