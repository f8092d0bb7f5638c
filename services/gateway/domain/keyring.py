"""Keys derived from the one secret of the installation, each for one purpose."""

from __future__ import annotations

import hashlib
import hmac

from nacl.encoding import RawEncoder
from nacl.exceptions import CryptoError
from nacl.hash import blake2b
from nacl.secret import SecretBox


class SealBroken(Exception):
    """What was to be opened was not sealed with this key, or was changed."""


class Keyring:
    """Keyed hashes (HMAC-SHA-256) and sealed values (XSalsa20-Poly1305). A purpose is at most 16 bytes of ASCII."""

    def __init__(self, secret: str) -> None:
        self._secret = secret.encode()
        self._derived: dict[str, bytes] = {}

    def _key(self, purpose: str) -> bytes:
        if purpose not in self._derived:
            # The secret may be longer than the 64 bytes that BLAKE2b takes as a key: it is the message, the purpose the person.
            self._derived[purpose] = blake2b(self._secret, digest_size=32, person=purpose.encode(), encoder=RawEncoder)
        return self._derived[purpose]

    def mac(self, purpose: str, *parts: bytes) -> bytes:
        """A keyed hash of parts, each with its length, so that no two lists of parts look alike."""
        joined = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
        return hmac.new(self._key(purpose), joined, hashlib.sha256).digest()

    def seal(self, purpose: str, data: bytes) -> bytes:
        return bytes(SecretBox(self._key(purpose)).encrypt(data))

    def open(self, purpose: str, sealed: bytes) -> bytes:
        """Raises SealBroken."""
        try:
            return bytes(SecretBox(self._key(purpose)).decrypt(sealed))
        except (CryptoError, ValueError, TypeError) as error:
            raise SealBroken from error


def same(a: bytes, b: bytes) -> bool:
    """Whether two secrets are equal, in a time that says nothing about where they differ."""
    return hmac.compare_digest(a, b)
