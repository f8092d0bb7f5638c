"""The ledger's single writer: gives every recorded entry its place, and signs checkpoints.

Recording (in anybody's transaction) and sequencing (here) are apart, so that writers never wait for each other. Several
replicas may run a sequencer; the one whose connection holds the advisory lock works, on that very connection: losing the lock
and losing the ability to write are one event. `extend` also compares the head's size, so that even a second writer could not
fork a log.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, suppress
from datetime import UTC, datetime
from uuid import UUID

from libs.contracts.message import PLATFORM
from services.trust.ledger.domain.checkpoint import Checkpoint, Signer, origin_of, sign_checkpoint
from services.trust.ledger.domain.entry import Entry, seal
from services.trust.ledger.domain.tree import TreeHead, append
from services.trust.ledger.store import Extension, Leaf, LedgerStore, Pending

log = logging.getLogger(__name__)

BATCH = 5_000
CHECKPOINT_KIND = "ledger.checkpoint"


class Sequencer:
    """Places pending leaves and signs checkpoints on one store.

    `origin` is the prefix of the logs' origin lines, `signer` the checkpoint key.
    """

    def __init__(
        self,
        store: LedgerStore,
        signer: Signer,
        *,
        origin: str,
        batch: int = BATCH,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store = store
        self._signer = signer
        self._origin = origin
        self._batch = batch
        self._now = now

    async def sequence(self) -> int:
        """Place one batch of pending leaves, in one transaction. Returns how many; 0 when nothing is pending."""
        async with self._store.transaction():
            pending = await self._store.take_pending(self._batch)
            by_log: dict[UUID, list[Pending]] = defaultdict(list)
            for each in pending:
                by_log[each.log_id].append(each)
            if by_log:
                heads = await self._store.heads(by_log)
                await self._store.extend([_extension(heads.get(log_id), group) for log_id, group in by_log.items()])
        return len(pending)

    async def drain(self) -> int:
        """Place everything that is pending now. Returns how many."""
        total = 0
        while placed := await self.sequence():
            total += placed
        return total

    async def checkpoint(self) -> int:
        """Sign a checkpoint for every log that has grown; returns how many.

        Each tenant's checkpoint becomes an entry of the platform's log, whose own checkpoint is signed last.
        """
        signed = 0
        while heads := await self._unsigned_tenants():
            async with self._store.transaction([PLATFORM]):
                await self._store.add_checkpoints(
                    [(log_id, head.size, self._note(log_id, head)) for log_id, head in heads]
                )
                await self._store.append(seal(self._anchor(log_id, head) for log_id, head in heads))
            signed += len(heads)
        if signed:
            await self.sequence()
        async with self._store.transaction():
            platform = (await self._store.unsigned_heads(1)).get(PLATFORM)
            if platform is not None:
                await self._store.add_checkpoints([(PLATFORM, platform.size, self._note(PLATFORM, platform))])
                signed += 1
        return signed

    async def _unsigned_tenants(self) -> list[tuple[UUID, TreeHead]]:
        heads = await self._store.unsigned_heads(self._batch + 1)  # the platform's own may be among them
        return [(log_id, head) for log_id, head in heads.items() if log_id != PLATFORM]

    def _note(self, log_id: UUID, head: TreeHead) -> str:
        return sign_checkpoint(Checkpoint(origin_of(self._origin, log_id), head.size, head.root), self._signer)

    def _anchor(self, log_id: UUID, head: TreeHead) -> Entry:
        return Entry(
            tenant_id=PLATFORM,
            kind=CHECKPOINT_KIND,
            actor="system:ledger",
            target=f"log:{log_id}",
            at=self._now(),
            data={"origin": origin_of(self._origin, log_id), "size": head.size, "root": head.root.hex()},
        )


def _extension(head: TreeHead | None, group: Sequence[Pending]) -> Extension:
    old = head or TreeHead()
    new, nodes = append(old, (each.leaf_hash for each in group))
    leaves = [Leaf(each.log_id, seq, each.entry_id, each.leaf_hash) for seq, each in enumerate(group, start=old.size)]
    return Extension(group[0].log_id, old, new, leaves, nodes)


async def run(
    connect: Callable[[], AbstractAsyncContextManager[LedgerStore]],
    signer: Signer,
    *,
    origin: str,
    stop: asyncio.Event,
    interval: float = 5.0,
    poll: float = 0.2,
) -> None:
    """Sequence until `stop`: a checkpoint at least every `interval` seconds while there is something new.

    `connect` gives a store on a connection of its own, which holds the leadership. When the connection fails, or another
    replica leads, it is tried again after a second.
    """
    while not stop.is_set():
        try:
            async with connect() as store:
                if await store.try_lead():
                    await _lead(Sequencer(store, signer, origin=origin), stop, interval, poll)
        except Exception:
            # Whatever broke is in the log; pending entries wait in the database and the next leader takes them up.
            log.exception("ledger sequencer stopped; it starts again in a second")
        await _sleep(stop, 1.0)


async def _lead(sequencer: Sequencer, stop: asyncio.Event, interval: float, poll: float) -> None:
    due = time.monotonic()
    while not stop.is_set():
        placed = await sequencer.sequence()
        if time.monotonic() >= due:
            await sequencer.checkpoint()
            due = time.monotonic() + interval
        if not placed:
            await _sleep(stop, poll)
    await sequencer.drain()
    await sequencer.checkpoint()


async def _sleep(stop: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
