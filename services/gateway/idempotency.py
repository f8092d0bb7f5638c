"""`Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header-07): one effect, one answer, however often a request comes.

A key belongs to a tenant, a principal and a route. Same body: the first answer again. Another body: 422. Still in work: 409. The
answer is on record before it is sent, so a restart changes nothing; when the record can't be written, nothing is done.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from libs.contracts.message import Principal, new_id
from services.gateway.domain.keyring import Keyring
from services.gateway.errors import BadRequest, IdempotencyInProgress, IdempotencyMismatch
from services.gateway.store import Slot, Store

LEASE = timedelta(seconds=120)
"""How long a request may be in work before another one with the same key may take it over: longer than any call's timeout."""
KEEP = timedelta(hours=24)

_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")
# Answers that say nothing about the request itself: trying again may well end otherwise.
_PASSING = frozenset({401, 403, 408, 409, 423, 425, 429})
_KEPT_HEADERS = frozenset({"content-type", "location", "etag", "preference-applied"})


@dataclass(frozen=True, slots=True)
class Answer:
    """A response as it is kept and given again."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Held:
    """A request that holds its key: what ids it makes follow from `reservation_id`."""

    slot: Slot
    reservation_id: UUID


class Idempotency:
    def __init__(self, store: Store, keyring: Keyring) -> None:
        self._store = store
        self._keyring = keyring

    async def begin(self, principal: Principal, route: str, key: str, *body: bytes) -> Held | Answer:
        """Take the key for this request, or get the answer that it had.

        Raises BadRequest, IdempotencyMismatch, IdempotencyInProgress.
        """
        slot = Slot(principal.tenant_id, principal.id, route, _checked(key))
        digest = hashlib.sha256(b"".join(hashlib.sha256(part).digest() for part in body)).digest()
        found = await self._store.reserve(slot, digest, new_id(), LEASE)
        if found.mine:
            return Held(slot, found.reservation_id)
        if found.body_hash != digest:
            raise IdempotencyMismatch
        if found.status is None or found.answer is None:
            raise IdempotencyInProgress
        kept = json.loads(self._keyring.open("answer", found.answer))
        return Answer(found.status, tuple((n, v) for n, v in kept["headers"]), bytes.fromhex(kept["body"]))

    async def end(self, held: Held, answer: Answer) -> None:
        """Keep the answer, sealed: it may hold a new key's secret. Passing troubles are not kept; the key is free again."""
        if answer.status >= 500 or answer.status in _PASSING:
            await self._store.release(held.slot)
            return
        headers = [(name, value) for name, value in answer.headers if name in _KEPT_HEADERS]
        kept = json.dumps({"headers": headers, "body": answer.body.hex()}).encode()
        await self._store.keep_answer(held.slot, answer.status, self._keyring.seal("answer", kept))

    async def give_up(self, held: Held) -> None:
        await self._store.release(held.slot)

    async def sweep(self) -> None:
        await self._store.sweep(answers=KEEP)


def _checked(key: str) -> str:
    """The key's text; the draft sends it as a quoted string, most clients bare."""
    text = key[1:-1] if len(key) >= 2 and key[0] == key[-1] == '"' else key
    if not _KEY.match(text):
        raise BadRequest(
            "bad_idempotency_key",
            "Idempotency-Key is 1 to 255 printable characters.",
            "Idempotency-Key من 1 إلى 255 حرفًا مرئيًا.",
        )
    return text


def fields(values: Mapping[str, str]) -> bytes:
    """Form fields as bytes to compare a repeated upload by: its multipart boundary differs each time."""
    return json.dumps(sorted(values.items())).encode()
