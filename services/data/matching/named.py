"""Accounts that are known by a name alone, as in a list of deals: matched as an import matches its rows."""

from __future__ import annotations

from typing import NamedTuple
from uuid import UUID

from libs.contracts.message import new_id
from libs.runtime.database import BatchWork
from services.data.importing.codec import said
from services.data.importing.domain.clusters import KnownAccount
from services.data.importing.domain.keys import account_keys, keys_of
from services.data.importing.domain.matching import (
    AccountView,
    Match,
    Verdict,
    account_strength,
    account_view,
    compare_accounts,
)
from services.data.importing.domain.messages import say
from services.data.importing.domain.records import AccountFields, ExistingRecord
from services.data.matching.keys import MatchKeys

SHOWN = 3
"""As many likely accounts wait beside a new one: a person compares a few."""


class Likely(NamedTuple):
    """A stored account that is probably the one that was named."""

    account_id: UUID
    match: Match


class Found(NamedTuple):
    """The account that a name surely means, if there is one; else those that it may mean, the likest first."""

    sure: UUID | None
    likely: tuple[Likely, ...] = ()


def choose(view: AccountView, known: list[KnownAccount]) -> Found:
    """Judge stored accounts by what matching sees of the named one. Of several sure ones the one that agrees most, then the oldest."""
    judged = [(UUID(one.records[0].account_id), one, compare_accounts(one.view, view)) for one in known]
    sure = [(-account_strength(one.view, view), id) for id, one, match in judged if match.verdict is Verdict.SURE]
    if sure:
        return Found(min(sure)[1])
    likely = [Likely(id, match) for id, _, match in judged if match.verdict is Verdict.LIKELY]
    return Found(None, tuple(sorted(likely, key=lambda one: (-one.match.score, one.account_id))[:SHOWN]))


class NamedAccounts:
    """One transaction's search; `work` names the tenant."""

    def __init__(self, work: BatchWork, tenant_id: UUID) -> None:
        self._c = work.connection
        self._keys = MatchKeys(work)
        self._tenant = tenant_id

    async def ready(self) -> None:
        """File what was written since the last search; once, before the first."""
        await self._keys.file_unfiled(self._tenant)

    async def find(self, name: str) -> Found:
        view = account_view(AccountFields(name=name))
        its = account_keys(view)
        ids = (await self._keys.index(self._tenant, (*its.telling, *its.words))).candidates([its])
        of: dict[str, list[ExistingRecord]] = {}
        for record in await self._keys.records(self._tenant, ids):
            of.setdefault(record.account_id, []).append(record)
        return choose(view, [KnownAccount(tuple(records)) for records in of.values()])

    async def file(self, account_id: UUID, name: str) -> None:
        """Let a new account be found from now on."""
        await self._keys.file_new(self._tenant, account_id, keys_of(AccountFields(name=name)))

    async def ask(self, account_id: UUID, likely: tuple[Likely, ...], batch_id: UUID, row_number: int) -> None:
        """Put a new account beside those that it probably is, for a person to decide."""
        for other, match in likely:
            why = tuple(say("why", code) for code in match.why)
            await self._c.execute(
                "insert into data.merge_reviews (tenant_id, review_id, import_id, kind, row_number, other_id, other_row, score, why, left_id, right_id) "
                "values ($1, $2, $3, 'account', $4, $5, null, $6, $7::jsonb, $5, $8)",
                self._tenant, new_id(), batch_id, row_number, other, match.score, said(why), account_id,
            )  # fmt: skip
