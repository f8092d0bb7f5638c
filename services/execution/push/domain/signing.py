"""Signatures of messages in the Standard Webhooks form (specification 1.0.0, "Signature scheme", symmetric).

What is signed is `id.timestamp.body`; the header holds one `v1,` signature a secret, so that a receiver which knows the old or the new
secret accepts the message while one replaces the other.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import secrets
from collections.abc import Sequence
from hashlib import sha256

PREFIX = "whsec_"
SIZE = 32
"""Bytes of a secret; the specification asks for 24 to 64."""


def make_secret() -> str:
    return PREFIX + base64.b64encode(secrets.token_bytes(SIZE)).decode()


def read_secret(text: str) -> bytes:
    """Raises ValueError for what is no secret of ours."""
    try:
        key = base64.b64decode(text.removeprefix(PREFIX), validate=True)
    except binascii.Error as error:
        raise ValueError("not a webhook secret") from error
    if not text.startswith(PREFIX) or not 24 <= len(key) <= 64:
        raise ValueError("not a webhook secret")
    return key


def headers(message_id: str, timestamp: int, body: bytes, keys: Sequence[str]) -> dict[str, str]:
    """The three headers of one try. `timestamp` is in Unix seconds; `keys` are the secrets in force, the newest first.

    Raises ValueError without a secret: what nobody signed is not sent.
    """
    if not keys:
        raise ValueError("a message without a secret is not sent")
    signed = f"{message_id}.{timestamp}.".encode() + body
    made = (hmac.new(read_secret(key), signed, sha256).digest() for key in keys)
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": " ".join(f"v1,{base64.b64encode(one).decode()}" for one in made),
    }
