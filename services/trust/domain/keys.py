"""Trust's keys: one Ed25519 pair a purpose, with key ids, and the keyed name of identifiers."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from typing import Any, Protocol

from nacl.signing import SigningKey

from libs.contracts import merkle
from libs.contracts.canonical import canonical
from libs.contracts.grant import ROOT_TYPE, b64
from libs.contracts.trust import Grant, GrantClaims

PURPOSES = ("grant", "checkpoint", "statement")


class KeysUnusable(Exception):
    """`DEALIX_TRUST_KEYS` is missing or not what it should be; the message says which part."""


@dataclass(frozen=True)
class SigningPair:
    """A signing key for one purpose. `kid` names it in signatures and in the published set."""

    kid: str
    key: SigningKey

    @property
    def public_key(self) -> bytes:
        return bytes(self.key.verify_key)

    def sign(self, data: bytes) -> bytes:
        """The 64-byte Ed25519 signature (RFC 8032)."""
        return self.key.sign(data).signature


@dataclass(frozen=True)
class TrustKeys:
    grant: SigningPair
    checkpoint: SigningPair
    statement: SigningPair
    identifier: bytes
    compromised: tuple[str, ...] = ()
    """Key ids that others are known to have."""

    @classmethod
    def from_json(cls, text: str) -> TrustKeys:
        """Read the setting: an object with `kid` and base64 `seed` for each purpose, and base64 `identifier`.

        Raises KeysUnusable.
        """
        try:
            document = json.loads(text)
            pairs = {
                name: SigningPair(document[name]["kid"], SigningKey(base64.b64decode(document[name]["seed"])))
                for name in PURPOSES
            }
            identifier = document["identifier"]
            compromised = tuple(document.get("compromised", {}).get("kids", "").split())
            secret = base64.b64decode(identifier["seed"] if isinstance(identifier, dict) else identifier)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise KeysUnusable(f"DEALIX_TRUST_KEYS is unusable: {error}") from error
        if len({pair.public_key for pair in pairs.values()}) != len(PURPOSES):
            raise KeysUnusable("DEALIX_TRUST_KEYS uses one key for two purposes")
        if len(secret) < 32:
            raise KeysUnusable("DEALIX_TRUST_KEYS has an identifier key shorter than 32 bytes")
        return cls(**pairs, identifier=secret, compromised=compromised)

    def jwks(self) -> tuple[dict[str, Any], ...]:
        """The public keys as JWKs (RFC 8037). `dealix_use` says what a key signs."""
        return tuple(
            {
                "kty": "OKP",
                "crv": "Ed25519",
                "alg": "EdDSA",
                "use": "sig",
                "kid": pair.kid,
                "x": b64(pair.public_key),
                "dealix_use": name,
            }
            for name, pair in (("grant", self.grant), ("checkpoint", self.checkpoint), ("statement", self.statement))
        )


class Keys(Protocol):
    """What signs now."""

    @property
    def grant(self) -> SigningPair: ...

    @property
    def checkpoint(self) -> SigningPair: ...

    @property
    def statement(self) -> SigningPair: ...

    @property
    def identifier(self) -> bytes: ...


class LiveKeys:
    """The keys in use, for readers that outlive a rotation. `switch` is the only change."""

    def __init__(self, keys: TrustKeys) -> None:
        self.current = keys

    def switch(self, keys: TrustKeys) -> None:
        self.current = keys

    @property
    def grant(self) -> SigningPair:
        return self.current.grant

    @property
    def checkpoint(self) -> SigningPair:
        return self.current.checkpoint

    @property
    def statement(self) -> SigningPair:
        return self.current.statement

    @property
    def identifier(self) -> bytes:
        return self.current.identifier

    def signer(self, use: str) -> LiveSigner:
        """A signer that follows rotations."""
        return LiveSigner(self, use)


@dataclass(frozen=True)
class LiveSigner:
    """Whatever key signs for one purpose at the moment of signing."""

    keys: LiveKeys
    use: str

    @property
    def _pair(self) -> SigningPair:
        pair: SigningPair = getattr(self.keys.current, self.use)
        return pair

    @property
    def kid(self) -> str:
        return self._pair.kid

    @property
    def public_key(self) -> bytes:
        return self._pair.public_key

    def sign(self, data: bytes) -> bytes:
        return self._pair.sign(data)


def issue(claims: list[GrantClaims], pair: SigningPair) -> list[Grant]:
    """Grants for a batch: one signature over the Merkle root of all claims."""
    if not claims:
        return []
    texts = [canonical(one.model_dump(mode="json")).decode() for one in claims]
    root, paths = merkle.batch_paths([merkle.leaf_hash(text.encode()) for text in texts])
    header = b64(canonical({"alg": "EdDSA", "kid": pair.kid, "typ": ROOT_TYPE}))
    body = b64(canonical({"root": root.hex(), "size": len(texts)}))
    jws = f"{header}.{body}.{b64(pair.sign(f'{header}.{body}'.encode()))}"
    return [
        Grant(claims=text, index=index, size=len(texts), path=tuple(step.hex() for step in path), root_jws=jws)
        for index, (text, path) in enumerate(zip(texts, paths, strict=True))
    ]
