"""What every ledger store promises; run over the in-memory one here and over PostgreSQL among the live tests."""

from __future__ import annotations

import hashlib
import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from nacl.signing import SigningKey

from libs.contracts import merkle
from libs.contracts.message import PLATFORM, new_id
from services.trust.ledger.domain.checkpoint import Checkpoint, verify_checkpoint
from services.trust.ledger.domain.entry import Entry, SealedEntry, leaf, seal
from services.trust.ledger.domain.tree import TreeHead
from services.trust.ledger.errors import HeadMoved, NoSuchEntry, NoSuchTree, NotYetProvable
from services.trust.ledger.proofs import consistency, prove, prove_all
from services.trust.ledger.sequencer import Sequencer
from services.trust.ledger.store import EntryFilter, Extension, LedgerStore

ORIGIN = "example.test/ledger"
NOON = datetime(2026, 11, 21, 9, 0, tzinfo=UTC)


class TestKey:
    """An Ed25519 key made from a name."""

    __test__ = False

    def __init__(self, name: str) -> None:
        self._key = SigningKey(hashlib.sha256(name.encode()).digest())
        self.kid = name

    @property
    def public_key(self) -> bytes:
        return bytes(self._key.verify_key)

    def sign(self, message: bytes) -> bytes:
        return self._key.sign(message).signature


KEY = TestKey("checkpoint-1")


def entries(tenant: UUID, count: int, **fields: object) -> list[SealedEntry]:
    given = {"kind": "decision", "actor": "user:1", "target": "action:1", "at": NOON, **fields}
    return seal(Entry(tenant_id=tenant, data={"number": number}, **given) for number in range(count))  # type: ignore[arg-type]  # test values


async def record(store: LedgerStore, sealed: list[SealedEntry]) -> None:
    async with store.transaction({each.entry.tenant_id for each in sealed}):
        await store.append(sealed)


def sequencer(store: LedgerStore, **options: int) -> Sequencer:
    return Sequencer(store, KEY, origin=ORIGIN, now=lambda: NOON, **options)


async def newest(store: LedgerStore, log_id: UUID) -> Checkpoint:
    stored = await store.checkpoint(log_id)
    assert stored is not None
    return verify_checkpoint(stored.note, f"{ORIGIN}/{log_id}", KEY.public_key)


class LedgerPromises:
    """Subclasses give the fixture `store`."""

    pytestmark = pytest.mark.asyncio

    async def test_an_entry_is_a_leaf_under_a_signed_checkpoint(self, store: LedgerStore) -> None:
        tenant = new_id()
        sealed = entries(tenant, 3)
        await record(store, sealed)
        work = sequencer(store)
        assert await work.drain() == 3
        assert await work.checkpoint() == 2  # the tenant's and the platform's
        checkpoint = await newest(store, tenant)
        for seq, each in enumerate(sealed):
            proof, stored = await prove(store, tenant, seq)
            assert stored.size == checkpoint.size == 3
            assert proof.leaf.entry_id == each.entry.entry_id
            committed = leaf(each.salt, each.body)
            assert merkle.verify_inclusion(committed, seq, 3, proof.path, checkpoint.root)

    async def test_a_rolled_back_change_leaves_no_entry(self, store: LedgerStore) -> None:
        tenant = new_id()
        with pytest.raises(ZeroDivisionError):
            async with store.transaction([tenant]):
                await store.append(entries(tenant, 2))
                raise ZeroDivisionError
        assert await sequencer(store).drain() == 0
        async with store.transaction([tenant]):
            assert await store.entries(EntryFilter(tenant), 10) == []

    async def test_the_same_entry_twice_is_one_leaf(self, store: LedgerStore) -> None:
        sealed = entries(new_id(), 2)
        await record(store, sealed)
        await record(store, sealed)
        assert await sequencer(store).drain() == 2

    async def test_each_tenant_has_its_own_log_in_the_order_of_recording(self, store: LedgerStore) -> None:
        one, two = new_id(), new_id()
        first, second, third = entries(one, 2), entries(two, 1), entries(one, 2)
        mixed = [first[0], second[0], first[1]]
        await record(store, mixed)
        await record(store, third)
        await sequencer(store, batch=2).drain()
        heads = await store.heads([one, two])
        assert heads[one].root == merkle.root([each.leaf_hash for each in (*first, *third)])
        assert heads[two].root == merkle.root([second[0].leaf_hash])

    async def test_big_logs_prove_every_kind_of_place_and_their_own_growth(self, store: LedgerStore) -> None:
        tenant = new_id()
        work = sequencer(store, batch=700)
        sealed: list[SealedEntry] = []
        roots: dict[int, bytes] = {}
        for count in (1, 254, 1, 1, 511, 300, 37):
            fresh = entries(tenant, count)
            sealed += fresh
            await record(store, fresh)
            await work.drain()
            await work.checkpoint()
            roots[len(sealed)] = (await newest(store, tenant)).root
        size = len(sealed)
        for seq in (0, 1, 255, 256, 511, 512, 767, 768, 1023, 1024, 1067, size - 1):
            proof, _ = await prove(store, tenant, seq)
            assert merkle.verify_inclusion(sealed[seq].leaf_hash, seq, size, proof.path, roots[size])
        for (first, old), (second, new) in itertools.combinations(roots.items(), 2):
            path = await consistency(store, tenant, first, second)
            assert merkle.verify_consistency(first, second, old, new, path)

    async def test_proofs_of_a_pack_are_read_together_against_one_checkpoint(self, store: LedgerStore) -> None:
        tenant = new_id()
        sealed = entries(tenant, 600)
        await record(store, sealed)
        work = sequencer(store)
        await work.drain()
        await work.checkpoint()
        wanted = [sealed[number].entry.entry_id for number in (3, 300, 599)]
        proofs, stored = await prove_all(store, tenant, await store.leaves(tenant, wanted))
        root = (await newest(store, tenant)).root
        assert [proof.leaf.seq for proof in proofs] == [3, 300, 599]
        for proof in proofs:
            assert merkle.verify_inclusion(proof.leaf.leaf_hash, proof.leaf.seq, stored.size, proof.path, root)

    async def test_what_no_checkpoint_covers_is_not_proven(self, store: LedgerStore) -> None:
        tenant = new_id()
        with pytest.raises(NoSuchEntry):
            await prove(store, tenant, 0)
        await record(store, entries(tenant, 1))
        work = sequencer(store)
        await work.drain()
        with pytest.raises(NotYetProvable):
            await prove(store, tenant, 0)
        with pytest.raises(NoSuchTree):
            await consistency(store, tenant, 0, 1)
        await work.checkpoint()
        await prove(store, tenant, 0)
        for first, second in ((-1, 1), (0, 2), (1, 0)):
            with pytest.raises(NoSuchTree):
                await consistency(store, tenant, first, second)
        assert await consistency(store, tenant, 0, 1) == ()

    async def test_nothing_new_means_no_new_checkpoint(self, store: LedgerStore) -> None:
        tenant = new_id()
        await record(store, entries(tenant, 1))
        work = sequencer(store)
        await work.drain()
        assert await work.checkpoint() == 2
        assert await work.checkpoint() == 0
        assert await work.drain() == 0

    async def test_tenants_checkpoints_are_leaves_of_the_platforms_log(self, store: LedgerStore) -> None:
        tenant = new_id()
        await record(store, entries(tenant, 5))
        work = sequencer(store, batch=1)
        await work.drain()
        await work.checkpoint()
        signed = await newest(store, tenant)
        async with store.transaction([PLATFORM]):
            anchors = await store.entries(EntryFilter(PLATFORM, target=f"log:{tenant}"), 10)
        assert len(anchors) == 1
        assert anchors[0].body is not None
        assert signed.root.hex().encode() in anchors[0].body
        assert anchors[0].seq is not None
        platform = await newest(store, PLATFORM)
        assert platform.size > anchors[0].seq

    async def test_a_writer_with_an_old_head_cannot_fork_a_log(self, store: LedgerStore) -> None:
        tenant = new_id()
        await record(store, entries(tenant, 2))
        await sequencer(store).drain()
        head = (await store.heads([tenant]))[tenant]
        with pytest.raises(HeadMoved):
            async with store.transaction():
                await store.extend([Extension(tenant, TreeHead(), TreeHead(1, (bytes(32),)), [], [])])
        assert (await store.heads([tenant]))[tenant] == head

    async def test_an_erased_entry_is_gone_and_its_proof_still_holds(self, store: LedgerStore) -> None:
        tenant = new_id()
        sealed = entries(tenant, 4)
        await record(store, sealed)
        work = sequencer(store)
        await work.drain()
        await work.checkpoint()
        gone = sealed[1].entry.entry_id
        async with store.transaction([tenant]):
            assert await store.erase(tenant, [gone]) == 1
            assert await store.erase(tenant, [gone]) == 0
            stored = await store.entry(tenant, gone)
        assert stored is not None
        assert (stored.body, stored.salt) == (None, None)
        proof, _ = await prove(store, tenant, 1)
        root = (await newest(store, tenant)).root
        assert merkle.verify_inclusion(sealed[1].leaf_hash, 1, 4, proof.path, root)

    async def test_entries_are_found_by_what_they_say(self, store: LedgerStore) -> None:
        tenant, other = new_id(), new_id()
        mine = [
            *entries(tenant, 1, kind="login", actor="user:7", at=NOON - timedelta(days=1)),
            *entries(tenant, 1, target="action:9", trace_id="abc"),
            *entries(tenant, 1, actor="user:8", at=NOON + timedelta(days=1)),
        ]
        await record(store, [*mine, *entries(other, 1)])
        await sequencer(store).drain()
        ids = [each.entry.entry_id for each in mine]

        async def found(**fields: object) -> list[UUID]:
            async with store.transaction([tenant]):
                where = EntryFilter(tenant, **fields)  # type: ignore[arg-type]  # test values
                return [stored.entry_id for stored in await store.entries(where, 10)]

        assert await found() == ids[::-1]
        assert await found(kind="login") == [ids[0]]
        assert await found(actor="user:8") == [ids[2]]
        assert await found(target="action:9", trace_id="abc") == [ids[1]]
        assert await found(targets=("action:9", "action:8")) == [ids[1]]
        assert await found(trace_id="nobody") == []
        assert await found(since=NOON, until=NOON + timedelta(days=1)) == [ids[1]]
        assert await found(before=ids[2]) == [ids[1], ids[0]]
        async with store.transaction([tenant]):
            entry = await store.entry(tenant, ids[1])
            assert await store.entry(tenant, new_id()) is None
        assert entry is not None
        assert (entry.seq, entry.leaf_hash, entry.body) == (1, mine[1].leaf_hash, mine[1].body)
