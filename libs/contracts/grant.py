"""Reading a grant: everything that must hold before its claims are believed. Pure; the keys are handed in.

Signed by trust as one JWS (EdDSA with Ed25519, RFC 8037) over the Merkle root of a batch of claims; a grant is claims, path, root.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping

import nacl.exceptions
from nacl.signing import VerifyKey

from libs.contracts import merkle
from libs.contracts.trust import Grant, GrantClaims

ROOT_TYPE = "dealix-grant-root+jwt"


class GrantInvalid(Exception):
    """The grant proves nothing; the message names the check that failed."""


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unb64(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error) as error:
        raise GrantInvalid("not base64url") from error


def key_id(jws: str) -> str:
    """The key that a compact JWS names in its header; empty when it names none."""
    try:
        header = json.loads(unb64(jws.split(".")[0]))
    except (GrantInvalid, ValueError):
        return ""
    return str(header.get("kid", "")) if isinstance(header, dict) else ""


class RootCache:
    """Verified root signatures: a batch's grants share one, and a verification costs 120 µs."""

    def __init__(self, keys: Mapping[str, bytes], limit: int = 1024) -> None:
        self.keys = dict(keys)
        self._limit = limit
        self._seen: dict[str, tuple[bytes, int]] = {}

    def root(self, jws: str) -> tuple[bytes, int]:
        """Root hash and tree size that a compact JWS signs.

        Raises GrantInvalid for a foreign type or algorithm, an unknown key or a bad signature.
        """
        known = self._seen.get(jws)
        if known is None:
            known = self._verify(jws)
            if len(self._seen) >= self._limit:
                self._seen.pop(next(iter(self._seen)))
            self._seen[jws] = known
        return known

    def _verify(self, jws: str) -> tuple[bytes, int]:
        parts = jws.split(".")
        if len(parts) != 3:
            raise GrantInvalid("root is not a compact JWS")
        try:
            header = json.loads(unb64(parts[0]))
            payload = json.loads(unb64(parts[1]))
        except ValueError as error:
            raise GrantInvalid("root is not JSON") from error
        if not isinstance(header, dict) or header.get("typ") != ROOT_TYPE or header.get("alg") != "EdDSA":
            raise GrantInvalid("root has a foreign type or algorithm")
        key = self.keys.get(str(header.get("kid")))
        if key is None:
            raise GrantInvalid("root is signed by an unknown key")
        try:
            VerifyKey(key).verify(f"{parts[0]}.{parts[1]}".encode(), unb64(parts[2]))
        except (nacl.exceptions.BadSignatureError, ValueError) as error:
            raise GrantInvalid("root signature does not verify") from error
        try:
            return bytes.fromhex(payload["root"]), int(payload["size"])
        except (KeyError, TypeError, ValueError) as error:
            raise GrantInvalid("root payload is incomplete") from error


def read_grant(grant: Grant, roots: RootCache) -> GrantClaims:
    """The claims of a grant whose signature and place in its batch hold.

    Raises GrantInvalid otherwise. Says nothing about expiry, use or payload: that is the gate's.
    """
    root, size = roots.root(grant.root_jws)
    if size != grant.size:
        raise GrantInvalid("grant names another batch size")
    try:
        path = tuple(bytes.fromhex(step) for step in grant.path)
    except ValueError as error:
        raise GrantInvalid("path is not hex") from error
    if not merkle.verify_inclusion(merkle.leaf_hash(grant.claims.encode()), grant.index, grant.size, path, root):
        raise GrantInvalid("claims are not in the signed batch")
    try:
        return GrantClaims.model_validate_json(grant.claims)
    except ValueError as error:
        raise GrantInvalid("claims are unreadable") from error
