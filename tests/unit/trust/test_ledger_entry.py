"""A leaf commits to the whole entry and says nothing without its salt."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from libs.contracts.canonical import CanonicalizationError
from libs.contracts.merkle import leaf_hash
from services.trust.ledger.domain.entry import Entry, canonical_entry, leaf, seal

ENTRY = Entry(
    tenant_id=UUID(int=1),
    kind="decision",
    actor="user:7",
    target="action:9",
    at=datetime(2026, 11, 21, 9, 0, 0, 120, tzinfo=UTC),
    data={"outcome": "granted", "note": "موافقة"},
    trace_id="4bf9",
    entry_id=UUID(int=2),
)


def test_the_bytes_of_an_entry_never_change() -> None:
    assert canonical_entry(ENTRY).decode() == (
        '{"actor":"user:7","at":"2026-11-21T09:00:00.000120Z","data":{"note":"موافقة","outcome":"granted"},'
        '"entry_id":"00000000-0000-0000-0000-000000000002","kind":"decision","target":"action:9",'
        '"tenant_id":"00000000-0000-0000-0000-000000000001","trace_id":"4bf9"}'
    )


def test_the_leaf_is_the_hash_of_salt_and_entry() -> None:
    (sealed,) = seal([ENTRY], random=lambda size: b"\x07" * size)
    assert sealed.salt == b"\x07" * 32
    assert sealed.leaf_hash == leaf_hash(b"\x07" * 32 + canonical_entry(ENTRY)) == leaf(sealed.salt, sealed.body)


def test_equal_entries_have_unequal_leaves() -> None:
    one, two = seal([ENTRY, ENTRY])
    assert one.body == two.body
    assert one.salt != two.salt
    assert one.leaf_hash != two.leaf_hash


@pytest.mark.parametrize("field", ["tenant_id", "kind", "actor", "target", "at", "data", "trace_id", "entry_id"])
def test_every_field_is_under_the_leaf(field: str) -> None:
    assert field in json.loads(canonical_entry(ENTRY))
    other = {"at": ENTRY.at + timedelta(microseconds=1), "data": {}, "tenant_id": UUID(int=5), "entry_id": UUID(int=5)}
    changed = replace(ENTRY, **{field: other.get(field, "other")})
    assert canonical_entry(changed) != canonical_entry(ENTRY)


def test_one_instant_has_one_form() -> None:
    riyadh = ENTRY.at.astimezone(timezone(timedelta(hours=3)))
    assert canonical_entry(replace(ENTRY, at=riyadh)) == canonical_entry(ENTRY)


def test_an_entry_without_a_zone_or_with_data_that_is_not_json_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        seal([replace(ENTRY, at=datetime(2026, 1, 1))])
    with pytest.raises(CanonicalizationError):
        seal([replace(ENTRY, data={"id": UUID(int=1)})])
