"""Ids that a repeated request makes again: derived from the reservation that its Idempotency-Key holds."""

from __future__ import annotations

import hashlib
from uuid import UUID


def derived(base: UUID, name: str) -> UUID:
    """A UUIDv7 (RFC 9562) with the time of `base`, and bits that follow from `base` and `name`."""
    digest = hashlib.blake2b(name.encode(), key=base.bytes, digest_size=16).digest()
    raw = bytearray(base.bytes[:6] + digest[6:])
    raw[6] = 0x70 | (raw[6] & 0x0F)
    raw[8] = 0x80 | (raw[8] & 0x3F)
    return UUID(bytes=bytes(raw))
