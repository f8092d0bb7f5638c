"""Companies and people of an export beside those that the tenant had before: as an import matches its rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

import orjson

from libs.runtime.database import BatchWork
from services.data.crm.tables import TABLES
from services.data.importing.codec import account_fields
from services.data.importing.domain.clusters import KnownAccount
from services.data.importing.domain.keys import account_keys
from services.data.importing.domain.matching import (
    AccountView,
    Verdict,
    account_view,
    compare_contacts,
    contact_strength,
    contact_view,
)
from services.data.importing.domain.records import AccountFields, ContactFields, ExistingRecord
from services.data.matching.keys import MatchKeys
from services.data.matching.named import Found, Likely, NamedAccounts, choose
from services.data.restoring.domain.items import Item


class Had(NamedTuple):
    """A person whom the tenant had before."""

    contact_id: UUID
    fields: ContactFields


class Before:
    """What the tenant had before this import; records of the export itself are never taken for each other."""

    def __init__(self, work: BatchWork, tenant_id: UUID, import_id: UUID) -> None:
        self._c = work.connection
        self._keys = MatchKeys(work)
        self._named = NamedAccounts(work, tenant_id)
        self._tenant = tenant_id
        self._import = import_id
        self.anything = False

    async def look(self) -> None:
        """Once, before anything is written: what is filed then is what there was."""
        await self._named.ready()
        self.anything = await self._c.fetchval(
            "select exists (select 1 from data.accounts where tenant_id = $1 and deleted_at is null)", self._tenant
        )

    async def accounts(self, items: Sequence[Item]) -> list[Found]:
        """For each company the one that it surely is, or those that it may be."""
        if not self.anything or not items:
            return [Found(None)] * len(items)
        views = [account_view(_fields(item)) for item in items]
        keys = [account_keys(view) for view in views]
        index = await self._keys.index(self._tenant, [key for its in keys for key in (*its.telling, *its.words)])
        found = [index.candidates([its]) for its in keys]
        of: dict[UUID, list[ExistingRecord]] = {}
        for record in await self._keys.records(self._tenant, list({id for ids in found for id in ids})):
            of.setdefault(UUID(record.account_id), []).append(record)
        return [self._choose(view, ids, of) for view, ids in zip(views, found, strict=True)]

    @staticmethod
    def _choose(view: AccountView, ids: Sequence[UUID], of: dict[UUID, list[ExistingRecord]]) -> Found:
        return choose(view, [KnownAccount(tuple(of[id])) for id in ids if id in of])

    async def named(self, name: str) -> UUID | None:
        return (await self._named.find(name)).sure

    async def ask(self, account_id: UUID, likely: tuple[Likely, ...], row_number: int) -> None:
        await self._named.ask(account_id, likely, self._import, row_number)

    async def people(self, accounts: Sequence[UUID]) -> dict[UUID, list[Had]]:
        """The people of these companies, by company."""
        out: dict[UUID, list[Had]] = {}
        for record in await self._keys.records(self._tenant, accounts) if accounts else ():
            if record.contact_id and record.contact:
                out.setdefault(UUID(record.account_id), []).append(Had(UUID(record.contact_id), record.contact))
        return out


def same_person(item: Item, had: Sequence[Had]) -> UUID | None:
    """Which of a company's people this one surely is."""
    values = item.values
    one = contact_view(ContactFields(full_name=values["full_name"], phone_e164=values["phone"], email=values["email"]))
    sure = [
        (-contact_strength(contact_view(other.fields), one), other.contact_id)
        for other in had
        if compare_contacts(contact_view(other.fields), one, same_account=True).verdict is Verdict.SURE
    ]
    return min(sure)[1] if sure else None


def _fields(item: Item) -> AccountFields:
    table = TABLES[item.kind]
    return account_fields(orjson.dumps(orjson.loads(table.blank) | table.patch(item.values)).decode())
