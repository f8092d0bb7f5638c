"""Keys of stored accounts in PostgreSQL: an import fetches what shares a key with its rows, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any
from uuid import UUID

import numpy as np

from libs.contracts.message import new_id
from libs.runtime.database import BatchWork
from services.data.importing.codec import account_fields, contact_fields
from services.data.importing.domain.keys import keys_of
from services.data.importing.domain.records import ContactFields, ExistingRecord
from services.data.matching.index import KeyIndex, Numbers, Owners, owners_of, page_numbers

KEYS_VERSION = 2
"""Raise it when the rules behind the keys, or where they are kept, change: every account is then filed anew before the next import."""
FILING_PAGE = 5000
BUCKET_BITS = 52
"""A key's bucket is what is above them: 4096 of them."""
PAGE_KEYS = 64
"""Most keys of a page, so that it stays in the row and is never stored apart."""
SLICES = 16
"""A tenant's whole stock of keys is read in so many parts."""
_BUCKETS = 1 << 64 - BUCKET_BITS
_HEADER = 20
"""Bytes that PostgreSQL puts before the elements of an array that it sends (array_send)."""
_SENT_KEYS = np.dtype([("length", ">i4"), ("value", ">i8")])
_SENT_IDS = np.dtype([("length", ">i4"), ("value", "S16")])


class MatchKeys:
    """One transaction's view of the keys; `work` names the tenant."""

    def __init__(self, work: BatchWork) -> None:
        self._c = work.connection

    async def file(self, tenant_id: UUID, filed: Sequence[tuple[UUID, Sequence[int]]]) -> None:
        """Put the accounts under these keys and no others."""
        ids = [account_id for account_id, _ in filed]
        await self._take_off(tenant_id, ids)
        await self.add(tenant_id, filed)
        await self._c.execute(
            "update data.accounts set keys_version = $3 where tenant_id = $1 and account_id = any($2::uuid[])",
            tenant_id, ids, KEYS_VERSION,
        )  # fmt: skip

    async def file_new(self, tenant_id: UUID, account_id: UUID, keys: Sequence[int]) -> None:
        """File an account that is on no page yet."""
        await self.add(tenant_id, [(account_id, keys)])
        await self._c.execute(
            "update data.accounts set keys_version = $3 where tenant_id = $1 and account_id = $2",
            tenant_id, account_id, KEYS_VERSION,
        )  # fmt: skip

    async def _take_off(self, tenant_id: UUID, ids: Sequence[UUID]) -> None:
        """Take the accounts off all pages: one look through the tenant's pages, for they are not found by account."""
        await self._c.execute(
            "update data.key_pages p set keys = n.keys, accounts = n.accounts from (select bucket, batch_id, page, "
            "coalesce(array_agg(k order by nth) filter (where not gone), '{}') keys, coalesce(array_agg(a order by nth) filter (where not gone), '{}') accounts "
            "from (select o.bucket, o.batch_id, o.page, u.k, u.a, u.nth, u.a = any($2::uuid[]) gone from data.key_pages o, "
            "unnest(o.keys, o.accounts) with ordinality u(k, a, nth) where o.tenant_id = $1) e group by 1, 2, 3 having bool_or(gone)) n "
            "where p.tenant_id = $1 and (p.bucket, p.batch_id, p.page) = (n.bucket, n.batch_id, n.page)",
            tenant_id, list(ids),
        )  # fmt: skip
        await self._c.execute("delete from data.key_pages where tenant_id = $1 and keys = '{}'", tenant_id)

    async def add(self, tenant_id: UUID, filed: Sequence[tuple[UUID, Sequence[int]]]) -> None:
        """Put accounts under keys, beside those that they have."""
        keys = np.fromiter(chain.from_iterable(its for _, its in filed), dtype=np.int64)
        if not len(keys):
            return
        accounts = np.repeat(np.arange(1, len(filed) + 1), [len(its) for _, its in filed])
        order = np.argsort(keys, kind="stable")
        await self._c.execute(
            "insert into data.key_pages (tenant_id, bucket, batch_id, page, keys, accounts) "
            f"select $1, (min(k) >> {BUCKET_BITS})::int, $2, p, array_agg(k), array_agg(($6::uuid[])[a]) "
            "from unnest($3::int[], $4::bigint[], $5::int[]) as t(p, k, a) group by p",
            tenant_id, new_id(), page_numbers(keys[order], BUCKET_BITS, PAGE_KEYS).tolist(), keys[order].tolist(), accounts[order].tolist(),
            [account_id for account_id, _ in filed],
        )  # fmt: skip

    async def file_unfiled(self, tenant_id: UUID) -> int:
        """File what was written or edited since. Returns how many accounts that were."""
        done = 0
        while True:
            rows = await self._c.fetch(
                "select account_id from data.accounts where tenant_id = $1 and deleted_at is null and keys_version < $2 limit $3",
                tenant_id, KEYS_VERSION, FILING_PAGE,
            )  # fmt: skip
            if not rows:
                return done
            records = await self.records(tenant_id, [row["account_id"] for row in rows])
            people: dict[str, list[ContactFields]] = {}
            for record in records:
                people.setdefault(record.account_id, []).extend([record.contact] if record.contact else [])
            accounts = {record.account_id: record for record in records}
            await self.file(
                tenant_id,
                [(UUID(i), keys_of(r.account, tuple(people[i]), r.account_aliases)) for i, r in accounts.items()],
            )
            done += len(rows)

    async def index(self, tenant_id: UUID, keys: Iterable[int] | None = None) -> KeyIndex:
        """What is filed under these keys and their neighbours, or all that is; what was filed last stands last."""
        index = KeyIndex()
        columns = (
            f"select string_agg(substr(array_send(keys), {_HEADER + 1}), '' order by batch_id) keys, "
            f"string_agg(substr(array_send(accounts), {_HEADER + 1}), '' order by batch_id) accounts from data.key_pages where tenant_id = $1 and "
        )
        if keys is not None:
            buckets = sorted({key >> BUCKET_BITS for key in keys})
            _take_in(index, await self._c.fetchrow(columns + "bucket = any($2::int[])", tenant_id, buckets))
            return index
        step = _BUCKETS // SLICES
        for first in range(-_BUCKETS // 2, _BUCKETS // 2, step):
            found = await self._c.fetchrow(columns + "bucket between $2 and $3", tenant_id, first, first + step - 1)
            _take_in(index, found)
        return index

    async def records(self, tenant_id: UUID, account_ids: Sequence[UUID]) -> list[ExistingRecord]:
        """The accounts that are there, each with all its contacts: two look-ups by index, whatever the planner thinks of the tables.
        Soft-deleted ones never collide with a new import."""
        accounts = await self._c.fetch(
            "select account_id, fields, aliases from data.accounts where tenant_id = $1 and account_id = any($2::uuid[]) "
            "and deleted_at is null order by account_id",
            tenant_id, list(account_ids),
        )  # fmt: skip
        contacts = await self._c.fetch(
            "select account_id, contact_id, fields from data.contacts where tenant_id = $1 and account_id = any($2::uuid[]) "
            "and deleted_at is null order by contact_id",
            tenant_id, list(account_ids),
        )  # fmt: skip
        people: dict[UUID, list[tuple[str | None, ContactFields | None]]] = {}
        for row in contacts:
            people.setdefault(row["account_id"], []).append((str(row["contact_id"]), contact_fields(row["fields"])))
        out: list[ExistingRecord] = []
        for row in accounts:
            account, aliases = account_fields(row["fields"]), tuple(row["aliases"])
            for contact_id, contact in people.get(row["account_id"], [(None, None)]):
                out.append(ExistingRecord(str(row["account_id"]), account, contact_id, contact, aliases))
        return out


def filed_under(filing: Sequence[tuple[UUID, Sequence[int]]]) -> tuple[Numbers, Owners]:
    """Keys and the account of each, as an index takes them."""
    counts = [len(keys) for _, keys in filing]
    keys = np.fromiter(chain.from_iterable(keys for _, keys in filing), dtype=np.int64, count=sum(counts))
    return keys, np.repeat(owners_of([account_id for account_id, _ in filing]), counts)


def _take_in(index: KeyIndex, found: Any) -> None:
    if found["keys"]:
        keys = np.frombuffer(found["keys"], dtype=_SENT_KEYS)["value"].astype(np.int64)
        index.add(keys, np.frombuffer(found["accounts"], dtype=_SENT_IDS)["value"].copy())
