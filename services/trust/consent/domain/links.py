"""Unsubscribe tokens (RFC 8058): signed, for one purpose, good for ever, and readable by nobody without the key.

A token names tenant, contact and channel, and carries the keyed hash of the identifier, so that it still works when the contact has
been erased. Layout: version 1, tenant 16, contact 16, channel 1, identifier hash 32, signature 16 bytes, in base64url.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from uuid import UUID

from services.trust.errors import BadLink

CHANNELS = ("email", "whatsapp", "phone")
VERSION = 1
SIZE = 1 + 16 + 16 + 1 + 32
SIGNATURE = 16


@dataclass(frozen=True, slots=True)
class Link:
    tenant_id: UUID
    contact_id: UUID
    channel: str
    mac: str


def sign(key: bytes, link: Link) -> str:
    """Raises ValueError for a channel without a number or a hash that is none."""
    body = b"".join(
        (bytes([VERSION]), link.tenant_id.bytes, link.contact_id.bytes, bytes([CHANNELS.index(link.channel)]), bytes.fromhex(link.mac))
    )  # fmt: skip
    if len(body) != SIZE:
        raise ValueError("the identifier's hash has 32 bytes")
    return base64.urlsafe_b64encode(body + _signature(key, body)).rstrip(b"=").decode()


def read(key: bytes, token: str) -> Link:
    """What a token says, once its signature holds.

    Raises BadLink.
    """
    try:
        raw = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError) as error:
        raise BadLink from error
    body, signature = raw[:SIZE], raw[SIZE:]
    if len(raw) != SIZE + SIGNATURE or not hmac.compare_digest(signature, _signature(key, body)):
        raise BadLink
    if body[0] != VERSION or body[33] >= len(CHANNELS):
        raise BadLink
    return Link(UUID(bytes=body[1:17]), UUID(bytes=body[17:33]), CHANNELS[body[33]], body[34:].hex())


def _signature(key: bytes, body: bytes) -> bytes:
    return hmac.new(key, b"unsubscribe" + body, hashlib.sha256).digest()[:SIGNATURE]
