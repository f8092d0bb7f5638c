"""Keys of accounts as numbers, with no I/O: what reads a file beside the plane works them out too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b

from services.data.importing.domain.clusters import Filed, account_keys, contact_keys
from services.data.importing.domain.matching import account_view, contact_view
from services.data.importing.domain.pairs import is_loose
from services.data.importing.domain.records import AccountFields, ContactFields


def digest(key: str) -> int:
    """A key as a signed 64-bit number. Two keys on one number cost a comparison more, never a wrong match."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


_word_digest = lru_cache(maxsize=65_536)(digest)


Digests = list[tuple[int, bool]]
"""Keys of an account: digest, and whether it is only a word of a name."""


def keys_of(account: AccountFields, contacts: Sequence[ContactFields] = (), aliases: tuple[str, ...] = ()) -> Digests:
    """The keys under which an account with its people is filed."""
    people = (key for contact in contacts for key in contact_keys(contact_view(contact)))
    return digests((*account_keys(account_view(account, contacts, aliases)), *people))


def row_keys(filed: Filed) -> Digests:
    """The keys of a row of a file: those it is looked for by, and filed under where it becomes an account of its own."""
    return digests((*filed.keys, *contact_keys(filed.contact)))


def digests(names: Iterable[str]) -> Digests:
    return [(_word_digest(key), True) if is_loose(key) else (digest(key), False) for key in dict.fromkeys(names)]
