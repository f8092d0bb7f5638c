"""API keys as text: `dlx_<id>_<secret>`. The prefix lets secret scanners find a key that was published by mistake."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from uuid import UUID

from services.gateway.domain.keyring import Keyring

_FORM = re.compile(r"^dlx_([0-9a-f]{32})_([A-Za-z0-9_-]{43})$")


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key as its holder has it."""

    key_id: UUID
    secret: str = field(repr=False)

    def __str__(self) -> str:
        return f"dlx_{self.key_id.hex}_{self.secret}"

    def hash(self, keyring: Keyring) -> bytes:
        """What is kept of it: a keyed hash. The secret has 256 bits, so a slow hash would protect nothing more."""
        return keyring.mac("api-key", self.key_id.bytes, self.secret.encode())


def mint(key_id: UUID) -> KeyText:
    return KeyText(key_id, secrets.token_urlsafe(32))


def parse(text: str) -> KeyText | None:
    """The key that a text is; None for anything else."""
    found = _FORM.match(text)
    return KeyText(UUID(hex=found[1]), found[2]) if found else None
