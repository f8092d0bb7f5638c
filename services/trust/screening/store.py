"""Findings on record within one transaction: the protocol, its PostgreSQL form, and its twin in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from libs.contracts.catalogue.screening import screening
from libs.contracts.message import new_id
from libs.contracts.screening import FindingState, GateFinding, ScreenedText

Key = tuple[UUID, str]
"""A tenant and a record, as `contact:ID`."""


class Findings(Protocol):
    async def keep(self, tenant_id: UUID, source: str, items: Sequence[ScreenedText]) -> int:
        """Put findings on record; one that is there is open again, whoever released it. How many were opened."""
        ...

    async def quarantined(self, keys: Sequence[Key]) -> set[Key]:
        """The records, of those named, that somebody has to look at."""
        ...

    async def page(
        self, tenant_id: UUID, state: str | None, subject: str | None, before: UUID | None, limit: int
    ) -> list[GateFinding]: ...

    async def one(self, tenant_id: UUID, finding_id: UUID) -> GateFinding | None: ...

    async def decide(self, tenant_id: UUID, finding_id: UUID, state: FindingState, who: str, reason: str) -> None: ...


_KEEP = """
with t as (select * from unnest($3::uuid[], $4::text[], $5::text[], $6::text[], $7::text[]) as t(i, s, f, c, l)),
kept as (insert into trust.screening_findings as x (tenant_id, finding_id, subject, source, field, code, level)
  select $1, i, s, $2, f, c, l from t on conflict (tenant_id, subject, field, code)
  do update set state = 'open', source = excluded.source, found_at = now(), decided_by = null, decided_at = null, reason = ''
  where x.state = 'released' returning finding_id)
select count(*) from kept
"""
_ABOUT = """
insert into trust.screening_subjects (tenant_id, about, finding_id)
select $1, a, f.finding_id from unnest($2::text[], $3::text[], $4::text[], $5::text[]) as t(s, f, c, a)
join trust.screening_findings f on f.tenant_id = $1 and f.subject = t.s and f.field = t.f and f.code = t.c on conflict do nothing
"""
_QUARANTINED = """
select distinct x.t, x.s from unnest($1::uuid[], $2::text[]) as x(t, s)
join trust.screening_subjects a on a.tenant_id = x.t and a.about = x.s
join trust.screening_findings f on f.tenant_id = a.tenant_id and f.finding_id = a.finding_id and f.state <> 'released' and f.level <> 'note'
"""
_FOUND = """
select f.*, array(select about from trust.screening_subjects a where a.tenant_id = f.tenant_id and a.finding_id = f.finding_id order by 1) about
from trust.screening_findings f where f.tenant_id = $1
"""


class SqlFindings:
    """In the caller's unit of work."""

    def __init__(self, connection: Any) -> None:
        self._c = connection

    async def keep(self, tenant_id: UUID, source: str, items: Sequence[ScreenedText]) -> int:
        rows = _rows(items)
        columns = [list(column) for column in zip(*((one.subject, one.field, code) for one, code in rows), strict=True)]
        opened = await self._c.fetchval(
            _KEEP, tenant_id, source, [new_id() for _ in rows], *columns, [_level(code) for _, code in rows]
        )
        every = [
            (one.subject, one.field, code, about)
            for one, code in rows
            for about in dict.fromkeys((one.subject, *one.about))
        ]
        await self._c.execute(_ABOUT, tenant_id, *(list(column) for column in zip(*every, strict=True)))
        return int(opened)

    async def quarantined(self, keys: Sequence[Key]) -> set[Key]:
        rows = await self._c.fetch(_QUARANTINED, [tenant for tenant, _ in keys], [subject for _, subject in keys])
        return {(row["t"], row["s"]) for row in rows}

    async def page(
        self, tenant_id: UUID, state: str | None, subject: str | None, before: UUID | None, limit: int
    ) -> list[GateFinding]:
        rows = await self._c.fetch(
            _FOUND + " and ($2::text is null or f.state = $2) and ($3::text is null or exists (select 1 from trust.screening_subjects a where "
            "a.tenant_id = f.tenant_id and a.finding_id = f.finding_id and a.about = $3)) and ($4::uuid is null or f.finding_id < $4) "
            "order by f.finding_id desc limit $5",
            tenant_id, state, subject, before, limit,
        )  # fmt: skip
        return [_finding(row) for row in rows]

    async def one(self, tenant_id: UUID, finding_id: UUID) -> GateFinding | None:
        row = await self._c.fetchrow(_FOUND + " and f.finding_id = $2 for update of f", tenant_id, finding_id)
        return _finding(row) if row else None

    async def decide(self, tenant_id: UUID, finding_id: UUID, state: FindingState, who: str, reason: str) -> None:
        await self._c.execute(
            "update trust.screening_findings set state = $3, decided_by = $4, decided_at = now(), reason = $5 where tenant_id = $1 and finding_id = $2",
            tenant_id, finding_id, state.value, who, reason,
        )  # fmt: skip


@dataclass
class FindingTables:
    rows: dict[tuple[UUID, str, str, str], GateFinding] = field(default_factory=dict)

    def copy(self) -> FindingTables:
        return FindingTables(dict(self.rows))


class MemoryFindings:
    def __init__(self, tables: FindingTables, now: datetime) -> None:
        self._t = tables
        self._now = now

    async def keep(self, tenant_id: UUID, source: str, items: Sequence[ScreenedText]) -> int:
        opened = 0
        for one, code in _rows(items):
            key = (tenant_id, one.subject, one.field, code)
            about = tuple(sorted({one.subject, *one.about}))
            there = self._t.rows.get(key)
            if there is not None and there.state is not FindingState.RELEASED:
                self._t.rows[key] = there.evolve(about=tuple(sorted({*there.about, *about})))
                continue
            kind = screening().kinds[code]
            self._t.rows[key] = GateFinding(
                finding_id=there.finding_id if there else new_id(), subject=one.subject, about=about, source=source, field=one.field, code=code,
                level=_level(code), owasp=kind.owasp, en=kind.en, ar=kind.ar, state=FindingState.OPEN, found_at=self._now,
            )  # fmt: skip
            opened += 1
        return opened

    async def quarantined(self, keys: Sequence[Key]) -> set[Key]:
        held = {
            (tenant, about)
            for (tenant, *_), row in self._t.rows.items()
            if row.state is not FindingState.RELEASED and row.level != "note"
            for about in row.about
        }
        return held & set(keys)

    async def page(
        self, tenant_id: UUID, state: str | None, subject: str | None, before: UUID | None, limit: int
    ) -> list[GateFinding]:
        found = [
            row
            for (tenant, *_), row in self._t.rows.items()
            if tenant == tenant_id and state in (None, row.state.value) and (subject is None or subject in row.about)
            and (before is None or row.finding_id < before)
        ]  # fmt: skip
        return sorted(found, key=lambda row: row.finding_id, reverse=True)[:limit]

    async def one(self, tenant_id: UUID, finding_id: UUID) -> GateFinding | None:
        return next(
            (r for (tenant, *_), r in self._t.rows.items() if tenant == tenant_id and r.finding_id == finding_id), None
        )

    async def decide(self, tenant_id: UUID, finding_id: UUID, state: FindingState, who: str, reason: str) -> None:
        for key, row in self._t.rows.items():
            if key[0] == tenant_id and row.finding_id == finding_id:
                self._t.rows[key] = row.evolve(state=state, decided_by=who, decided_at=self._now, reason=reason)


def _rows(items: Sequence[ScreenedText]) -> list[tuple[ScreenedText, str]]:
    """One row a kind of finding; a kind that this catalogue does not know is read as the strictest it knows."""
    known = screening().kinds
    found = {
        (one.subject, one.field, code): (one, code)
        for one in items
        for code in (given if given in known else "hidden_text" for given in one.codes)
    }
    return list(found.values())


def _level(code: str) -> str:
    return screening().kinds[code].inbound.value


def _finding(row: Any) -> GateFinding:
    kind = screening().kinds.get(row["code"]) or screening().kinds["hidden_text"]
    return GateFinding(
        finding_id=row["finding_id"], subject=row["subject"], about=tuple(row["about"]), source=row["source"], field=row["field"],
        code=row["code"], level=row["level"], owasp=kind.owasp, en=kind.en, ar=kind.ar, state=row["state"], found_at=row["found_at"],
        decided_by=row["decided_by"], decided_at=row["decided_at"], reason=row["reason"],
    )  # fmt: skip
