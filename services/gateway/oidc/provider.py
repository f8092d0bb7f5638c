"""The identity provider on the wire: discovery, its keys, a code for an ID token. The gateway's only way out besides the bus."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "PS256", "ES256", "Ed25519", "EdDSA"]
"""Signatures by the provider's private key only: `none`, and keys that both sides know, prove nothing to us."""
SECONDS = 10.0
LEEWAY_SECONDS = 30
KEYS_SECONDS = 60.0
"""How soon the provider's keys may be read again after a token under an unknown key."""


class ProviderFailed(Exception):
    """The provider could not be reached, or said something that does not hold; the message is for the log."""


@dataclass(frozen=True, slots=True)
class Client:
    """What the provider knows us by."""

    issuer: str
    client_id: str
    client_secret: str
    redirect_uri: str


class Provider:
    """One issuer. Reads its metadata when first needed."""

    def __init__(self, client: Client, now: Callable[[], datetime], *, ca_file: str = "") -> None:
        self._client = client
        self._now = now
        context = ssl.create_default_context(cafile=ca_file or None)
        self._http = httpx.AsyncClient(timeout=SECONDS, verify=context, follow_redirects=False)
        self._metadata: dict[str, Any] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def close(self) -> None:
        await self._http.aclose()

    async def authorization_url(self, *, state: str, nonce: str, challenge: str) -> str:
        """Where the browser goes (OpenID Connect Core section 3.1.2.1, PKCE of RFC 7636). Raises ProviderFailed."""
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_uri,
            "scope": "openid email profile groups",
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        endpoint = (await self._discovered())["authorization_endpoint"]
        return f"{endpoint}{'&' if '?' in endpoint else '?'}{urlencode(query)}"

    async def claims(self, code: str, *, verifier: str, nonce: str) -> dict[str, Any]:
        """Exchange the code and verify the ID token (sections 3.1.3.1 and 3.1.3.7). Raises ProviderFailed."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect_uri,
            "code_verifier": verifier,
        }
        login = httpx.BasicAuth(self._client.client_id, self._client.client_secret)
        metadata = await self._discovered()
        answer = await self._ask("POST", metadata["token_endpoint"], data=form, auth=login)
        token = answer.get("id_token")
        if not isinstance(token, str):
            raise ProviderFailed("the token endpoint gave no ID token")
        return await self._verified(token, nonce)

    async def _verified(self, token: str, nonce: str) -> dict[str, Any]:
        try:
            decoded = jwt.decode(token, await self._key_set(), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # The key may have been changed since we read them.
            try:
                decoded = jwt.decode(token, await self._key_set(again=True), algorithms=ALGORITHMS)
            except (JoseError, ValueError) as error:
                raise ProviderFailed(f"the ID token's signature does not hold: {type(error).__name__}") from error
        registry = jwt.JWTClaimsRegistry(
            now=lambda: int(self._now().timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._client.issuer},
            aud={"essential": True, "value": self._client.client_id},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            nonce={"essential": True, "value": nonce},
        )
        try:
            registry.validate(decoded.claims)
        except JoseError as error:
            raise ProviderFailed(f"the ID token is not for us or not of now: {error}") from error
        audience = decoded.claims["aud"]
        if isinstance(audience, list) and len(audience) > 1 and decoded.claims.get("azp") != self._client.client_id:
            raise ProviderFailed("the ID token was issued to another client")
        return dict(decoded.claims)

    async def _discovered(self) -> dict[str, Any]:
        if self._metadata is None:
            url = self._client.issuer.rstrip("/") + "/.well-known/openid-configuration"
            found = await self._ask("GET", url)
            if found.get("issuer") != self._client.issuer:
                raise ProviderFailed("the metadata is another issuer's")
            if missing := [n for n in ("authorization_endpoint", "token_endpoint", "jwks_uri") if not found.get(n)]:
                raise ProviderFailed(f"the metadata lacks {missing[0]}")
            self._metadata = found
        return self._metadata

    async def _key_set(self, *, again: bool = False) -> KeySet:
        read, keys = self._keys or (0.0, None)
        if keys is None or (again and time.monotonic() - read > KEYS_SECONDS):
            document = await self._ask("GET", (await self._discovered())["jwks_uri"])
            try:
                keys = KeySet.import_key_set(document)  # type: ignore[arg-type]  # checked by the import itself
            except (JoseError, ValueError, TypeError, KeyError) as error:
                raise ProviderFailed("the provider's keys can't be read") from error
            self._keys = (time.monotonic(), keys)
        return keys

    async def _ask(self, method: str, url: str, **more: Any) -> dict[str, Any]:
        try:
            response = await self._http.request(method, url, **more)
            document = response.json()
        except (httpx.HTTPError, ValueError) as error:
            raise ProviderFailed(f"the provider does not answer: {type(error).__name__}") from error
        if response.status_code != 200 or not isinstance(document, dict):
            raise ProviderFailed(f"the provider answered {response.status_code}")
        return document
