"""Reads how deals went, step by step, and takes in deals that were won or lost before they were recorded."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, time, timedelta
from typing import Any
from uuid import UUID

from libs.contracts import subjects
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.records import RecordKind, Stage
from libs.contracts.deal_history import (
    ClosedDeal,
    ClosedDealsLoaded,
    DealHistoryReply,
    DealHistoryRequest,
    DealStep,
    LoadClosedDeals,
    PastDeal,
    RefusedRow,
)
from libs.contracts.errors import NotFound
from libs.contracts.message import derived_id, new_id
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.data.crm.desk import require_editor
from services.data.crm.store import Store
from services.data.matching.named import Likely, NamedAccounts
from services.data.screening.domain.texts import of_values
from services.data.screening.telling import of_record, tell

_DEALS = """
select d.deal_id, d.account_id, coalesce(a.name_ar, a.name, '') account_name, d.title, coalesce(a.fields->>'sector', a.fields->>'sector_text') sector, d.partner_id,
  d.stage, d.amount, d.currency, d.created_at, d.closed_at, d.expected_close
from data.deals d left join data.accounts a on a.tenant_id = $1 and a.account_id = d.account_id
where d.tenant_id = $1 and d.deleted_at is null and (d.closed_at is null or d.closed_at >= $2) and ($3::uuid is null or d.deal_id > $3)
order by d.deal_id limit $4"""
_STEPS = """
select record_id, at, before->>'stage' stage_before, after->>'stage' stage, (before->>'amount')::numeric amount_before,
  (after->>'amount')::numeric amount
from data.changes where tenant_id = $1 and kind = 'deal' and touches && $2::uuid[] and record_id = any($2::uuid[]) and what <> 'created'
  and (after ? 'stage' or after ? 'amount') order by at, version"""
_KEPT = "select true from data.deals where tenant_id = $1 and deal_id = $2"
_FIRST_YEAR = 2000
_BEFORE_ALL = UUID(int=0)
"""Ids of deals that were over before they were recorded begin here: lists, newest first, end with them."""


class DealHistory:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._database = runtime.database

    async def read(self, request: DealHistoryRequest) -> DealHistoryReply:
        """A page of deals with their steps."""
        tenant, limit = request.principal.tenant_id, request.limit
        async with self._database.batch(tenant) as work:
            rows = await work.connection.fetch(_DEALS, tenant, request.since, request.after, limit + 1)
            more, rows = len(rows) > limit, rows[:limit]
            changed = await work.connection.fetch(_STEPS, tenant, [row["deal_id"] for row in rows])
        steps: dict[UUID, list[DealStep]] = defaultdict(list)
        for row in changed:
            given = dict(row)
            steps[given.pop("record_id")].append(DealStep(**given))
        items = tuple(PastDeal(**dict(row), steps=tuple(steps[row["deal_id"]])) for row in rows)
        return DealHistoryReply(items=items, after=items[-1].deal_id if more else None)

    async def load(self, request: LoadClosedDeals) -> ClosedDealsLoaded:
        """Keep deals that are over, as they were: opened, moved and closed on their own days. A row that can't be is refused by itself.

        Raises Forbidden.
        """
        require_editor(request.principal)
        who, tenant, now = request.principal, request.principal.tenant_id, self._runtime.now()
        created, refused = 0, []
        existing = 0
        async with self._database.batch(tenant) as work:
            store, accounts = Store(work, tenant), _Accounts(work, request, now)
            await accounts.ready()
            for number, one in enumerate(request.items, 1):
                if (wrong := unfit(one, now)) is not None:
                    refused.append(RefusedRow(row=number, field=wrong[0], en=wrong[1], ar=wrong[2]))
                    continue
                if await self._keep(store, request, one, number, accounts, now):
                    created += 1
                else:
                    existing += 1
            entry = AuditRecorded(
                entry_id=new_id(), tenant_id=tenant, kind="deals.history_loaded", actor=who.id, target="deals", at=now,
                data={"created": created, "existing": existing, "refused": len(refused)}, trace_id=telemetry.trace_id(),
            )  # fmt: skip
            work.emit(subjects.AUDITED[self._runtime.plane], entry)
        return ClosedDealsLoaded(created=created, existing=existing, refused=tuple(refused))

    async def _keep(
        self, store: Store, request: LoadClosedDeals, one: ClosedDeal, number: int, accounts: _Accounts, now: datetime
    ) -> bool:
        tenant, who = store.tenant_id, request.principal
        named = one.reference or f"{one.account}|{one.title}|{one.opened_on}|{one.closed_on}|{one.amount}"
        deal_id = derived_id(_BEFORE_ALL, tenant, "closed-deal", named.strip().casefold())
        if await store.work.connection.fetchval(_KEPT, tenant, deal_id):
            return False
        account = await accounts.of(one.account, number)
        opened, closed = (min(now, _moment(one.opened_on)), min(now, _moment(one.closed_on, end=True)))
        outcome = Stage(one.outcome).value
        values: dict[str, Any] = {
            "account_id": account, "title": one.title, "stage": outcome, "amount": one.amount, "currency": one.currency, "closed_at": closed,
            "closed_reason": one.reason or None, "created_at": opened, "updated_at": closed,
        }  # fmt: skip
        if not await store.insert(RecordKind.DEAL, deal_id, values, {}):
            return False
        deal = await store.get(RecordKind.DEAL, deal_id)
        if deal is None:
            raise NotFound
        await store.note(who, opened, "created", deal, after={"title": one.title, "stage": Stage.NEW.value})
        before = Stage.NEW.value
        for day, stage in ((one.open_on, Stage.OPEN), (one.negotiating_on, Stage.NEGOTIATING)):
            if day is not None:
                await store.note(
                    who, _moment(day), "moved", deal, before={"stage": before}, after={"stage": stage.value}
                )
                before = stage.value
        await store.note(
            who, closed, "moved", deal, before={"stage": before}, after={"stage": outcome}, reason=one.reason
        )
        _screen(store.work, tenant, deal_id, {"title": one.title, "closed_reason": one.reason}, now)
        return True


class _Accounts:
    """The accounts that the rows of one load name: those that are there, as an import would find them, and those that are made."""

    def __init__(self, work: BatchWork, request: LoadClosedDeals, now: datetime) -> None:
        self._store = Store(work, request.principal.tenant_id)
        self._named = NamedAccounts(work, request.principal.tenant_id)
        self._who, self._now, self._batch_id = request.principal, now, new_id()
        self._met: dict[str, UUID] = {}

    async def ready(self) -> None:
        await self._named.ready()

    async def of(self, name: str, row: int) -> UUID:
        """What the name surely means; else a new account, beside which those that it may mean wait for a person."""
        spelled = name.casefold()
        if spelled not in self._met:
            found = await self._named.find(name)
            self._met[spelled] = found.sure or await self._made(name, found.likely, row)
        return self._met[spelled]

    async def _made(self, name: str, likely: tuple[Likely, ...], row: int) -> UUID:
        store, account_id = self._store, new_id()
        await store.insert(RecordKind.ACCOUNT, account_id, {"name": name}, {})
        record = await store.get(RecordKind.ACCOUNT, account_id)
        if record is None:
            raise NotFound
        await store.note(self._who, self._now, "created", record, after={"name": name})
        await self._named.file(account_id, name)
        await self._named.ask(account_id, likely, self._batch_id, row)
        _screen(store.work, store.tenant_id, account_id, {"name": name}, self._now, kind="account")
        return account_id


def _screen(work: BatchWork, tenant: UUID, id: UUID, given: dict[str, str], now: datetime, kind: str = "deal") -> None:
    found = of_values({name: text for name, text in given.items() if text}, ours=False)
    tell(work, tenant, "record", of_record(kind, id, given, found), now)


def unfit(one: ClosedDeal, now: datetime) -> tuple[str, str, str] | None:
    """What keeps a row out: field, and the reason in both languages."""
    today = now.astimezone(RIYADH).date()
    if one.opened_on.year < _FIRST_YEAR:
        return "opened_on", "The deal was opened before the year 2000.", "تاريخ فتح الصفقة قبل عام 2000."
    if one.closed_on > today:
        return "closed_on", "A deal that is over was not closed in the future.", "تاريخ إغلاق الصفقة في المستقبل."
    days = [day for day in (one.opened_on, one.open_on, one.negotiating_on, one.closed_on) if day is not None]
    if days != sorted(days):
        return "closed_on", "The days do not follow one another.", "تواريخ الصفقة ليست متتابعة."
    return None


def _moment(day: date, *, end: bool = False) -> datetime:
    """Noon of a day in Riyadh; a closing comes last of what a day holds."""
    return datetime.combine(day, time(12), RIYADH) + (timedelta(hours=6) if end else timedelta())


def serve_history(runtime: Runtime) -> None:
    desk = DealHistory(runtime)
    runtime.bus.serve(subjects.DEAL_HISTORY, desk.read)
    runtime.bus.serve(subjects.LOAD_CLOSED_DEALS, desk.load)
