"""HTTP to addresses that tenants name: every name is resolved, every answer judged, and the connection made to exactly what was judged.

Resolving again at the moment of connecting would let a name answer with a public address first and a private one then (DNS rebinding).
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Collection

import httpx

from services.execution.push.domain.address import Endpoint, is_public, read_endpoint
from services.execution.push.errors import PrivateEndpoint, UnknownEndpoint

Resolve = Callable[[str, int], Awaitable[list[str]]]


async def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host, as the system's resolver orders them; none when it has no answer."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return []
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def reachable(endpoint: Endpoint, resolver: Resolve = resolve) -> str:
    """The one address to connect to. Raises UnknownEndpoint, PrivateEndpoint when any answer is not of the internet."""
    addresses = await resolver(endpoint.host, endpoint.port)
    if not addresses:
        raise UnknownEndpoint
    if not endpoint.inside and not all(is_public(address) for address in addresses):
        raise PrivateEndpoint
    return addresses[0]


class PublicTransport(httpx.AsyncBaseTransport):
    """Sends a request to the address that its host was judged by. TLS is still with the host's name, and so is `Host`.

    Raises BadEndpoint, UnknownEndpoint, PrivateEndpoint before anything leaves.
    """

    def __init__(
        self, allowed: Collection[str], inner: httpx.AsyncBaseTransport | None = None, resolver: Resolve = resolve
    ) -> None:
        self._allowed = allowed
        self._inner = inner or httpx.AsyncHTTPTransport()
        self._resolve = resolver

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        endpoint = read_endpoint(str(request.url), self._allowed)
        address = await reachable(endpoint, self._resolve)
        pinned = httpx.Request(
            request.method,
            request.url.copy_with(host=address),
            headers=request.headers,
            stream=request.stream,
            extensions={**request.extensions, "sni_hostname": endpoint.host},
        )
        return await self._inner.handle_async_request(pinned)

    async def aclose(self) -> None:
        await self._inner.aclose()
