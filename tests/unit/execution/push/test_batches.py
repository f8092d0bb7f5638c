"""Entries of one message to a SIEM: all of them, in order, none twice."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from libs.contracts.trust import LedgerEntry
from services.execution.push.domain.batches import MOST_BYTES, MOST_ENTRIES, batches

AT = datetime(2026, 11, 21, tzinfo=UTC)


def entry(seq: int, size: int) -> LedgerEntry:
    return LedgerEntry(
        entry_id=UUID(int=seq),
        tenant_id=UUID(int=0),
        kind="k",
        actor="a",
        target="t",
        at=AT,
        data={"x": "x" * size},
        seq=seq,
    )


@given(st.lists(st.sampled_from([10, 1_000, 50_000, 200_000]), max_size=250))
def test_every_entry_goes_once_in_its_order_and_batches_fit(sizes: list[int]) -> None:
    entries = [entry(seq, size) for seq, size in enumerate(sizes)]
    made = batches(entries)
    assert [one.seq for batch in made for one in batch.entries] == list(range(len(sizes)))
    for batch in made:
        assert len(batch.entries) <= MOST_ENTRIES
        assert len(batch.entries) == 1 or sum(len(one.model_dump_json()) for one in batch.entries) <= MOST_BYTES
        assert (batch.first, batch.last) == (batch.entries[0].seq, batch.entries[-1].seq)
