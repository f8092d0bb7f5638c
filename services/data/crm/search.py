"""Search over everything: folded text with trigrams, so that hamza, ta marbuta and diacritics make no difference."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.records import RecordKind
from libs.contracts.crm import Hit
from libs.runtime.database import BatchWork
from services.data.crm.domain.text import SearchEntry, search_entry, search_words
from services.data.crm.tables import TABLES

PAGE = 2000

_EXTRA = {
    RecordKind.ACCOUNT: "array_to_string(t.aliases, ' ')",
    RecordKind.CONTACT: "(select concat_ws(' ', a.name, a.name_ar) from data.accounts a where a.tenant_id = t.tenant_id and a.account_id = t.account_id)",
    RecordKind.DEAL: "(select concat_ws(' ', a.name, a.name_ar) from data.accounts a where a.tenant_id = t.tenant_id and a.account_id = t.account_id)",
    RecordKind.ACTIVITY: "''",
    RecordKind.TASK: "''",
    RecordKind.PARTNER: "''",
    RecordKind.TICKET: "''",
    RecordKind.SPEND: "''",
    RecordKind.PAYMENT: "(select concat_ws(' ', a.name, a.name_ar) from data.accounts a where a.tenant_id = t.tenant_id and a.account_id = t.account_id)",
}
"""What else a record is found by."""


class SearchText:
    """One transaction's view of the text of a tenant's records."""

    def __init__(self, work: BatchWork, tenant_id: UUID) -> None:
        self._c = work.connection
        self._tenant_id = tenant_id

    async def index(self, kind: RecordKind, ids: Sequence[UUID]) -> None:
        """Bring the text of these records up to date."""
        if kind not in _EXTRA:
            return
        table = TABLES[kind]
        rows = await self._c.fetch(
            f"select {table.select}, {_EXTRA[kind]} as _extra from data.{table.name} t where t.tenant_id = $1 and t.{table.id} = any($2::uuid[]) "
            "and t.deleted_at is null",
            self._tenant_id, list(ids),
        )  # fmt: skip
        await self._write(kind, rows)

    async def _write(self, kind: RecordKind, rows: Sequence[Any]) -> None:
        table = TABLES[kind]
        entries: list[tuple[UUID, SearchEntry]] = [
            (row["id"], search_entry(kind, table.values(row), json.loads(row["custom"]), row["_extra"] or ""))
            for row in rows
        ]
        await self._c.execute(
            "insert into data.search_text (tenant_id, kind, record_id, title, subtitle, body) select $1, $2, i, t, s, b "
            "from unnest($3::uuid[], $4::text[], $5::text[], $6::text[]) as x(i, t, s, b) on conflict (tenant_id, kind, record_id) "
            "do update set title = excluded.title, subtitle = excluded.subtitle, body = excluded.body",
            self._tenant_id, kind.value, [i for i, _ in entries], [e.title for _, e in entries], [e.subtitle for _, e in entries],
            [e.body for _, e in entries],
        )  # fmt: skip
        await self._c.execute(
            f"update data.{table.name} set indexed = true where tenant_id = $1 and {table.id} = any($2::uuid[])",
            self._tenant_id, [i for i, _ in entries],
        )  # fmt: skip

    async def drop(self, kind: RecordKind, ids: Sequence[UUID]) -> None:
        await self._c.execute(
            "delete from data.search_text where tenant_id = $1 and kind = $2 and record_id = any($3::uuid[])",
            self._tenant_id, kind.value, list(ids),
        )  # fmt: skip

    async def index_some(self) -> bool:
        """Put a page of records that are not in the text yet into it. False when none is left."""
        for kind in _EXTRA:
            table = TABLES[kind]
            rows = await self._c.fetch(
                f"select t.{table.id} id from data.{table.name} t where t.tenant_id = $1 and not t.indexed and t.deleted_at is null limit $2",
                self._tenant_id, PAGE,
            )  # fmt: skip
            if rows:
                await self.index(kind, [row["id"] for row in rows])
                return True
        return False

    async def enqueue(self) -> None:
        """Have the background put this tenant's new records into the text."""
        await self._c.execute(
            "insert into data.search_queue (tenant_id) values ($1) on conflict do nothing", self._tenant_id
        )

    async def put_off(self, seconds: float) -> None:
        """Not before so many seconds from now: ranking what came goes first."""
        await self._c.execute(
            "update data.search_queue set due_at = now() + make_interval(secs => $2) where tenant_id = $1",
            self._tenant_id, seconds,
        )  # fmt: skip

    async def find(self, text: str, kinds: Sequence[RecordKind], limit: int) -> list[Hit]:
        """Records whose text holds every word; where there is none, those that come close."""
        words = search_words(text)
        if not words:
            return []
        rows = await self._c.fetch(
            "select kind, record_id, title, subtitle, score from data.search($1::text[], $2::text[], $3)",
            words, [kind.value for kind in kinds or tuple(_EXTRA)], limit,
        )  # fmt: skip
        return [
            Hit(
                kind=RecordKind(r["kind"]),
                id=r["record_id"],
                title=r["title"],
                subtitle=r["subtitle"],
                score=float(r["score"]),
            )
            for r in rows
        ]
