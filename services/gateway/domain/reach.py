"""Whether somebody comes from outside."""

from __future__ import annotations

from ipaddress import ip_address


def is_remote(address: str) -> bool | None:
    """Whether a network address is a public one; None for what is no address."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = getattr(found, "ipv4_mapped", None) or found
    return not (mapped.is_private or mapped.is_loopback or mapped.is_link_local)
