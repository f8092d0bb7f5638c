"""The stored accounts that an import has met: what it wrote a moment ago need not be read back to be matched against."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from uuid import UUID

from services.data.importing.domain.clusters import Filed, KnownAccount
from services.data.importing.domain.keys import person_digests
from services.data.importing.domain.matching import contact_view
from services.data.importing.domain.records import ExistingRecord, MergePlan

MOST = 100_000
"""Accounts that are remembered, the latest: about 3 kB each."""


class Remembered:
    """Accounts by id, as they are once all that was planned so far is written. One that is not there any more has no records."""

    def __init__(self) -> None:
        self._accounts: dict[UUID, KnownAccount] = {}
        self._changed: set[UUID] = set()
        self._first: UUID | None = None

    def missing(self, ids: Iterable[UUID]) -> tuple[list[UUID], list[UUID]]:
        """Those that have to be read: what this import wrote or changed, which nobody else sees yet, and what it did not."""
        out: tuple[list[UUID], list[UUID]] = ([], [])
        for one in ids:
            if one not in self._accounts:
                ours = one in self._changed or (self._first is not None and one >= self._first)
                out[0 if ours else 1].append(one)
        return out

    def read(self, ids: Iterable[UUID], records: Sequence[ExistingRecord]) -> None:
        """Remember what was read of these accounts."""
        of: dict[UUID, list[ExistingRecord]] = {one: [] for one in ids}
        for record in records:
            of[UUID(record.account_id)].append(record)
        self._accounts.update((one, KnownAccount(tuple(its))) for one, its in of.items())

    def known(self, ids: Iterable[UUID]) -> list[KnownAccount]:
        """Those of the accounts that are there; all have been read."""
        return [account for one in ids if (account := self._accounts[one]).records]

    def planned(
        self,
        plan: MergePlan,
        account_ids: Sequence[UUID],
        contact_ids: Sequence[UUID],
        filed: Mapping[int, Filed],
    ) -> list[tuple[UUID, list[int]]]:
        """Remember accounts as a plan leaves them. Returns the keys that each has from now on and had not before."""
        people: dict[int, list[tuple[UUID, int]]] = {}
        for contact, contact_id in zip(plan.contacts, contact_ids, strict=True):
            people.setdefault(contact.account, []).append((contact_id, contact.index))
        filing: list[tuple[UUID, list[int]]] = []
        for account, account_id in zip(plan.accounts, account_ids, strict=True):
            records = {
                str(contact_id): ExistingRecord(
                    str(account_id), account.fields, str(contact_id), plan.contacts[at].fields, account.aliases
                )
                for contact_id, at in people.get(account.index, ())
            }
            keys = dict.fromkeys(key for row in account.rows for key in filed[row].all_keys)
            if account.existing_id is None:
                if self._first is None:
                    self._first = account_id
                alone = filed[account.rows[0]] if len(account.rows) == 1 else None
                self._accounts[account_id] = KnownAccount(tuple(records.values()), alone)
            else:
                # What was filed stays filed: what an account was found by once, it is found by again.
                before = self._accounts.pop(account_id)
                for key in _keys_of(before):
                    keys.pop(key, None)
                people_of = {one.contact_id: one.contact for one in (*before.records, *records.values())}
                self._accounts[account_id] = KnownAccount(
                    tuple(
                        ExistingRecord(
                            str(account_id), account.fields, contact_id, people_of[contact_id], account.aliases
                        )
                        for contact_id in sorted(one for one in people_of if one)
                    )
                )
                self._changed.add(account_id)
            filing.append((account_id, list(keys)))
        return filing

    def forget(self) -> None:
        """Keep the latest only."""
        for one in list(self._accounts)[: max(0, len(self._accounts) - MOST)]:
            del self._accounts[one]


def _keys_of(account: KnownAccount) -> list[int]:
    people = (key for contact in account.contacts for key in person_digests(contact_view(contact)))
    return [*account.keys.telling, *account.keys.words, *people]
