"""Which addresses a tenant may have us send to: those of the internet, and nothing else. No I/O.

What a server can be talked into reaching from inside a network is OWASP's SSRF (Top 10 2021, A10): metadata services, databases, the
operator's own planes. Names are resolved first and the answer is judged, whatever the name looked like.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from services.execution.push.errors import BadEndpoint

_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_PROTOCOL = ipaddress.IPv4Network("192.0.0.0/24")
"""IETF protocol assignments (RFC 6890): how much of it counts as global has changed with the versions of Python."""
_MOST = 2000


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a message goes: `url` as it is requested, `host` and `port` as they are resolved."""

    url: str
    host: str
    port: int
    inside: bool
    """Whether the operator has named this host as one of the own network that tenants may reach."""


def is_public(address: str) -> bool:
    """Whether an address, as the resolver gave it, is one of the internet. What is written inside an IPv6 address counts too."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if inner is None and any(found in network for network in _NAT64):
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
    if found in _PROTOCOL:
        return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


def read_endpoint(url: str, allowed: Collection[str]) -> Endpoint:
    """The endpoint of a URL; `allowed` are hosts inside the operator's network, where alone plain HTTP is taken.

    Raises BadEndpoint naming what is wrong: too_long, characters, scheme, host, user, fragment, port.
    """
    if len(url) > _MOST:
        raise BadEndpoint("too_long")
    if not url.isascii() or any(c.isspace() or c in '\\"<>`{}|^' for c in url) or not url.isprintable():
        raise BadEndpoint("characters")
    try:
        parts: SplitResult = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise BadEndpoint("port") from error
    host = (parts.hostname or "").rstrip(".")
    if not host:
        raise BadEndpoint("host")
    inside = host in allowed
    if parts.scheme != "https" and not (inside and parts.scheme == "http"):
        raise BadEndpoint("scheme")
    if "@" in parts.netloc:
        raise BadEndpoint("user")
    if parts.fragment:
        raise BadEndpoint("fragment")
    if port == 0:
        raise BadEndpoint("port")
    return Endpoint(url, host, port or (443 if parts.scheme == "https" else 80), inside)
