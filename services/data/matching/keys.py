"""Keys of stored accounts in PostgreSQL: an import fetches what shares a key with its rows, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from uuid import UUID

from libs.runtime.database import BatchWork
from services.data.importing.codec import account_fields, contact_fields
from services.data.importing.domain.clusters import Filed, account_keys, contact_keys, is_loose
from services.data.importing.domain.matching import ContactView, account_view, contact_view
from services.data.importing.domain.records import AccountFields, ContactFields, ExistingRecord

KEYS_VERSION = 1
"""Raise it when the rules behind the keys change: every account is then filed anew before the next import."""
MEMBERS, LOOSE_MEMBERS = 40, 12
"""As many accounts of one key are fetched, the newest first: more of those that share a word would not be compared anyway."""
RAREST = 3
"""Of the words of its names a row follows the rarest: "trading" would lead everywhere."""
COUNTED = 200
"""How far the accounts of one key are counted: beyond, it is only common."""
FILING_PAGE = 5000


def digest(key: str) -> int:
    """A key as a signed 64-bit number. Two keys on one number cost a comparison more, never a wrong match."""
    return int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "big", signed=True)


_word_digest = lru_cache(maxsize=65_536)(digest)


Digests = list[tuple[int, bool]]
"""Keys of an account: digest, and whether it is only a word of a name."""


def keys_of(account: AccountFields, contacts: Sequence[ContactFields] = (), aliases: tuple[str, ...] = ()) -> Digests:
    """The keys under which an account with its people is filed."""
    return _digests(account_keys(account_view(account, contacts, aliases)), map(contact_view, contacts))


def row_keys(filed: Filed) -> Digests:
    """The keys of a row of a file: those it is looked for by, and filed under where it becomes an account of its own."""
    return _digests(filed.keys, (filed.contact,))


def _digests(names: Iterable[str], people: Iterable[ContactView]) -> Digests:
    keys = dict.fromkeys(names)
    for person in people:
        keys.update(dict.fromkeys(contact_keys(person)))
    return [(_word_digest(key), True) if is_loose(key) else (digest(key), False) for key in keys]


class MatchKeys:
    """One transaction's view of the keys; `work` names the tenant."""

    def __init__(self, work: BatchWork) -> None:
        self._c = work.connection

    async def file(self, tenant_id: UUID, filed: Sequence[tuple[UUID, Iterable[tuple[int, bool]]]]) -> None:
        """Put the accounts under these keys and no others."""
        ids = [account_id for account_id, _ in filed]
        await self._c.execute(
            "delete from data.match_keys where tenant_id = $1 and account_id = any($2::uuid[])", tenant_id, ids
        )
        await self.add(tenant_id, filed)
        await self._c.execute(
            "update data.accounts set keys_version = $3 where tenant_id = $1 and account_id = any($2::uuid[])",
            tenant_id, ids, KEYS_VERSION,
        )  # fmt: skip

    async def add(self, tenant_id: UUID, filed: Sequence[tuple[UUID, Iterable[tuple[int, bool]]]]) -> None:
        # In the order of the index: each of its pages is visited once.
        rows = sorted((key, at, loose) for at, (_, keys) in enumerate(filed, 1) for key, loose in keys)
        await self._c.execute(
            "insert into data.match_keys (tenant_id, key, account_id, loose) "
            "select $1, k, ($5::uuid[])[a], l from unnest($2::bigint[], $3::int[], $4::bool[]) as t(k, a, l) on conflict do nothing",
            tenant_id, [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows], [account_id for account_id, _ in filed],
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
            records = await self._records(tenant_id, [row["account_id"] for row in rows])
            people: dict[str, list[ContactFields]] = {}
            for record in records:
                people.setdefault(record.account_id, []).extend([record.contact] if record.contact else [])
            accounts = {record.account_id: record for record in records}
            await self.file(
                tenant_id,
                [(UUID(i), keys_of(r.account, tuple(people[i]), r.account_aliases)) for i, r in accounts.items()],
            )
            done += len(rows)

    async def candidates(self, tenant_id: UUID, rows: Iterable[Digests]) -> list[ExistingRecord]:
        """Stored accounts, each with all its contacts, that share a telling key with some row. Soft-deleted ones never
        collide with a new import."""
        wanted = [(item, key, loose) for item, keys in enumerate(rows) for key, loose in keys]
        await self._c.execute(
            "create temporary table if not exists wanted_keys (item int, key bigint, loose boolean) on commit drop; truncate wanted_keys"
        )
        await self._c.copy_records_to_table("wanted_keys", records=wanted, columns=("item", "key", "loose"))
        await self._c.execute("analyze wanted_keys")
        found = await self._c.fetch(
            "with counted as materialized (select w.key, (select count(*) from (select 1 from data.match_keys k where k.tenant_id = $1 "
            "and k.key = w.key limit $4) x) n from (select distinct key from wanted_keys) w), "
            "ordered as (select w.key, w.loose, row_number() over (partition by w.item, w.loose order by c.n, w.key) nth "
            "from wanted_keys w join counted c using (key) where c.n > 0), "
            "chosen as (select key, bool_and(loose) loose from ordered where not loose or nth <= $2 group by key) "
            "select distinct unnest(array(select k.account_id from data.match_keys k where k.tenant_id = $1 and k.key = chosen.key "
            "order by k.account_id desc limit case when chosen.loose then $5::int else $3::int end)) as account_id from chosen",
            tenant_id, RAREST, MEMBERS, COUNTED, LOOSE_MEMBERS,
        )  # fmt: skip
        return await self._records(tenant_id, [row["account_id"] for row in found])

    async def _records(self, tenant_id: UUID, account_ids: Sequence[UUID]) -> list[ExistingRecord]:
        """The accounts with all their contacts: two look-ups by index, whatever the planner thinks of the tables."""
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
