"""Keys under which companies and people are filed, so that what may be the same meets without comparing all with all."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

from services.data.importing.domain.matching import AccountView, ContactView, account_view, contact_view
from services.data.importing.domain.names import block_keys
from services.data.importing.domain.records import AccountFields, ContactFields


class Keys(NamedTuple):
    """Keys as signed 64-bit numbers. The `telling` ones are identifiers and whole names; `words` of a name lead to candidates only where
    they are rare. Two keys on one number cost a comparison more, never a wrong match."""

    telling: tuple[int, ...]
    words: tuple[int, ...]


def digest(key: str) -> int:
    """The number of a key, the same in every process and for ever: it is stored."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


_word = lru_cache(maxsize=65_536)(digest)


def account_keys(view: AccountView) -> Keys:
    """Keys under which the same company is filed: store them with a record, and fetch by them what a new row may match."""
    keys = [f"{mark}:{value}" for mark, value in (("cr", view.cr), ("vat", view.vat), ("domain", view.domain)) if value]
    keys += [f"phone:{number}" for number in view.phones]
    keys += [f"email:{address}" for address in view.mailboxes]
    keys += [f"name:{form.key}" for form in view.forms]
    return Keys(tuple(map(digest, dict.fromkeys(keys))), tuple(map(_word, sorted(block_keys(view.forms)))))


def contact_keys(view: ContactView) -> tuple[str, ...]:
    """Keys under which the same person is filed whatever the company; within a company all its contacts are candidates."""
    keys = (("email", view.email), ("phone", view.phone))
    return tuple(f"{mark}:{value}" for mark, value in keys if value)


def person_digests(view: ContactView, but: Collection[str] = ()) -> tuple[int, ...]:
    """The keys of a person, by which its company is found too; without those whose texts are in `but`."""
    return tuple(digest(key) for key in contact_keys(view) if key not in but)


def keys_of(account: AccountFields, contacts: Sequence[ContactFields] = (), aliases: tuple[str, ...] = ()) -> list[int]:
    """All keys under which an account with its people is filed, each once."""
    keys = account_keys(account_view(account, contacts, aliases))
    people = (key for contact in contacts for key in person_digests(contact_view(contact)))
    return list(dict.fromkeys((*keys.telling, *keys.words, *people)))
