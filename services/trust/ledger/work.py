"""Revenue work units, counted from the ledger by the catalogue's rules. Nothing is kept: a unit is its entry."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from libs.contracts.catalogue.work_units import work_units
from libs.contracts.errors import Forbidden, Invalid, NotFound
from libs.contracts.message import Text
from libs.contracts.paging import UnknownCursor
from libs.contracts.work_units import WorkTotal, WorkUnit, WorkUnitsReply, WorkUnitsRequest
from libs.runtime.database import Database

READERS = frozenset({"owner", "admin", "auditor", "compliance_officer", "approver", "operator", "member", "api_client"})
DAYS, MOST_DAYS = 30, 366

# An entry's data is read where its rule asks for something of it; an erased entry has none. An effect is its decision's own.
_WORK = """
with r as (select * from jsonb_to_recordset($4::jsonb) as x(unit text, kind text, wanted jsonb, effects text[], counted text, unless text)),
w as (
  select e.entry_id, e.kind, e.actor, e.target, e.at, r.unit,
    case when r.counted is null then 1 else coalesce((d.data->>r.counted)::bigint, 0) end as units
  from trust.ledger_entries e join r on r.kind = e.kind
  cross join lateral (select case when e.body is null then '{}'::jsonb else convert_from(e.body, 'UTF8')::jsonb->'data' end as data) d
  where e.tenant_id = $1 and e.at >= $2 and e.at < $3 and ($5::text[] is null or e.target = any($5::text[]))
    and not exists (select 1 from jsonb_each(r.wanted) c where not coalesce(c.value @> (d.data->c.key), false))
    and (r.effects = '{}' or exists (select 1 from trust.decisions q where q.tenant_id = $1 and q.action_id = (d.data->>'action_id')::uuid
      and q.attempt = (d.data->>'attempt')::int and q.effect = any(r.effects)))
    and (r.unless is null or not exists (select 1 from trust.ledger_entries u where u.tenant_id = $1 and u.target = e.target and u.kind = r.unless)))
"""
_TOTALS = _WORK + "select unit, sum(units)::bigint as units, count(*) as entries from w where units > 0 group by unit"
_PAGE = (
    _WORK
    + "select w.*, l.seq, l.leaf_hash from w left join trust.ledger_leaves l on l.log_id = $1 and l.entry_id = w.entry_id "
    "where units > 0 and ($6::uuid is null or (w.entry_id, w.unit) < ($6::uuid, $7::text)) order by w.entry_id desc, w.unit desc limit $8"
)


class UnknownUnit(NotFound):
    def __init__(self) -> None:
        super().__init__("unknown_work_unit", "There is no work unit of this name.", "لا توجد وحدة عمل بهذا الاسم.")


class BadWorkPeriod(Invalid):
    def __init__(self) -> None:
        super().__init__(
            "bad_period", f"A period begins before it ends and holds at most {MOST_DAYS} days.",
            f"بداية الفترة تسبق نهايتها، وأقصى مدة لها {MOST_DAYS} يومًا.",
        )  # fmt: skip


class Work:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, request: WorkUnitsRequest) -> WorkUnitsReply:
        """A page of units and the totals of the period. Raises Forbidden, UnknownUnit, BadWorkPeriod, UnknownCursor."""
        if not READERS & set(request.principal.roles):
            raise Forbidden
        rules, tenant = work_units(), request.principal.tenant_id
        if request.unit is not None and request.unit not in rules.units:
            raise UnknownUnit
        after, unit = _cursor(request.page.cursor)
        async with self._database.batch(tenant) as work:
            now = await work.connection.fetchval("select now()")
            since, until = _period(request, now)
            targets = None if request.targets is None else list(request.targets)
            given = (tenant, since, until, rules.as_rows(request.unit), targets)
            found = {row["unit"]: row for row in await work.connection.fetch(_TOTALS, *given)}
            rows = await work.connection.fetch(_PAGE, *given, after, unit, request.page.limit + 1)
        more = len(rows) > request.page.limit
        rows = rows[: request.page.limit]
        totals = tuple(
            WorkTotal(
                unit=name, title=Text(en=rule.en, ar=rule.ar), section=rule.section, weight=rule.weight,
                count=found[name]["units"] if name in found else 0, entries=found[name]["entries"] if name in found else 0,
                weighted=rule.weight * (found[name]["units"] if name in found else 0),
            )
            for name, rule in rules.units.items() if request.unit in (None, name)
        )  # fmt: skip
        return WorkUnitsReply(
            items=tuple(_unit(row) for row in rows), next_cursor=f"{rows[-1]['entry_id']}|{rows[-1]['unit']}" if more else None,
            totals=totals, weighted=sum((one.weighted for one in totals), Decimal(0)), since=since, until=until, version=rules.version,
        )  # fmt: skip


def _unit(row: Any) -> WorkUnit:
    rule = work_units().units[row["unit"]]
    return WorkUnit(
        unit=row["unit"], title=Text(en=rule.en, ar=rule.ar), count=row["units"], weighted=rule.weight * row["units"], at=row["at"],
        actor=row["actor"], target=row["target"], kind=row["kind"], entry_id=row["entry_id"], seq=row["seq"],
        leaf_hash=bytes(row["leaf_hash"]).hex() if row["leaf_hash"] else "",
    )  # fmt: skip


def _period(request: WorkUnitsRequest, now: datetime) -> tuple[datetime, datetime]:
    # Until just after now: an entry of this very moment counts.
    until = request.until or now + timedelta(seconds=1)
    since = request.since or until - timedelta(days=DAYS)
    if not timedelta(0) < until - since <= timedelta(days=MOST_DAYS):
        raise BadWorkPeriod
    return since, until


def _cursor(text: str | None) -> tuple[UUID | None, str | None]:
    """The entry and unit that the last page ended with."""
    if not text:
        return None, None
    entry, _, unit = text.partition("|")
    try:
        return UUID(entry), unit
    except ValueError as error:
        raise UnknownCursor from error
