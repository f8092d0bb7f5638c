"""Cursors as clients get them: opaque, and nobody's but ours, so that a plane is never handed a made-up one."""

from __future__ import annotations

import base64
import binascii
from uuid import UUID

from services.gateway.domain.keyring import Keyring, same

_MAC_BYTES = 9


def wrap(keyring: Keyring, tenant_id: UUID, cursor: str | None) -> str | None:
    if cursor is None:
        return None
    body = cursor.encode()
    tag = keyring.mac("cursor", tenant_id.bytes, body)[:_MAC_BYTES]
    return base64.urlsafe_b64encode(tag + body).decode().rstrip("=")


def unwrap(keyring: Keyring, tenant_id: UUID, text: str | None) -> str | None:
    """The plane's own cursor.

    Raises ValueError for a text that `wrap` did not make for this tenant.
    """
    if text is None:
        return None
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        tag, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
        if not same(tag, keyring.mac("cursor", tenant_id.bytes, body)[:_MAC_BYTES]):
            raise ValueError("not our cursor")
        return body.decode()
    except (binascii.Error, UnicodeError) as error:
        raise ValueError("not a cursor") from error
