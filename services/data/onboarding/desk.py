"""Onboardings as they are: customers from won deals, steps from rows and from people's marks."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any
from uuid import UUID

from libs.contracts import subjects
from libs.contracts.catalogue.onboarding import onboarding
from libs.contracts.errors import NotFound
from libs.contracts.message import Plane, new_id
from libs.contracts.onboarding import (
    CustomerOnboarding,
    MarkStep,
    OnboardingGet,
    OnboardingsReply,
    OnboardingsRequest,
    StepState,
)
from libs.contracts.paging import before, page_of
from libs.contracts.trust import AuditRecorded
from libs.runtime import telemetry
from libs.runtime.database import BatchWork
from libs.runtime.plane import Runtime
from services.data.crm.desk import require_editor
from services.data.onboarding.domain.steps import Customer, Mark, Shown, read
from services.data.onboarding.errors import NoteNeeded, ShownByRows, UnknownStep

MOST = 2000
"""Customers in onboarding at a time: of more, the newest are read."""
# A customer's first won deal is its onboarding; what it shows are rows of its account, that deal or its people since then.
_CUSTOMERS = """
with first as (
  select distinct on (d.account_id) d.deal_id, d.account_id, d.title, d.owner, d.closed_at won_at
  from data.deals d where d.tenant_id = $1 and d.deleted_at is null and d.stage = 'won' and d.closed_at is not null
  order by d.account_id, d.closed_at, d.deal_id)
, customers as (
  select f.*, coalesce(a.name_ar, a.name, '') account_name from first f
  join data.accounts a on a.tenant_id = $1 and a.account_id = f.account_id and a.deleted_at is null
  where ($3::uuid is null or f.deal_id = $3) and (f.won_at > $2::timestamptz - make_interval(days => $4)
    or exists (select 1 from data.onboarding_marks m where m.tenant_id = $1 and m.deal_id = f.deal_id))
  order by f.deal_id desc limit $5)
select c.*, s.*, m.*, i.*, p.* from customers c
left join lateral (select t.created_at set_at, t.activity_id set_id from data.activities t where t.tenant_id = $1 and t.deleted_at is null
  and t.type in ('meeting', 'visit') and t.at >= c.won_at and (t.account_id = c.account_id or t.deal_id = c.deal_id)
  order by t.created_at, t.activity_id limit 1) s on true
left join lateral (select t.at held_at, t.activity_id held_id from data.activities t where t.tenant_id = $1 and t.deleted_at is null
  and t.type in ('meeting', 'visit') and t.at >= c.won_at and t.at <= $2 and (t.account_id = c.account_id or t.deal_id = c.deal_id)
  order by t.at, t.activity_id limit 1) m on true
left join lateral (select t.at inbound_at, t.activity_id inbound_id from data.activities t where t.tenant_id = $1 and t.deleted_at is null
  and t.direction = 'inbound' and t.type in ('email', 'whatsapp') and t.at >= c.won_at and t.at <= $2
  and (t.account_id = c.account_id or t.deal_id = c.deal_id) order by t.at, t.activity_id limit 1) i on true
left join lateral (select greatest(y.paid_on::timestamp at time zone 'Asia/Riyadh', c.won_at) paid_at, y.payment_id from data.payments y
  where y.tenant_id = $1 and y.deleted_at is null and y.account_id = c.account_id and y.paid_on >= (c.won_at at time zone 'Asia/Riyadh')::date
  order by y.paid_on, y.payment_id limit 1) p on true
order by c.deal_id desc"""
_MARKS = "select deal_id, step, state, at, by, note from data.onboarding_marks where tenant_id = $1 and deal_id = any($2::uuid[])"
_SAY = (
    "insert into data.onboarding_marks (tenant_id, deal_id, step, state, note, by, by_name, at) values ($1, $2, $3, $4, $5, $6, $7, $8) "
    "on conflict (tenant_id, deal_id, step) do update set state = excluded.state, note = excluded.note, by = excluded.by, "
    "by_name = excluded.by_name, at = excluded.at where data.onboarding_marks.state <> excluded.state or data.onboarding_marks.note <> excluded.note"
)
_EVIDENCE = (
    ("meeting_set", "set_at", "activity", "set_id"), ("meeting_held", "held_at", "activity", "held_id"),
    ("inbound", "inbound_at", "activity", "inbound_id"), ("payment", "paid_at", "payment", "payment_id"),
)  # fmt: skip


class Onboardings:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._database = runtime.database

    async def page(self, request: OnboardingsRequest) -> OnboardingsReply:
        """A page of customers, the newest first, with how many there are in each state."""
        after = before(request.page)
        async with self._database.batch(request.principal.tenant_id) as work:
            found = await self._read(work, None)
        counts = Counter(one.state.value for one in found)
        wanted = [
            one
            for one in found
            if (request.state is None or one.state is request.state) and (after is None or one.onboarding_id < after)
        ]
        shown = wanted[: request.page.limit + 1]
        items, more = page_of(shown, request.page.limit, lambda one: one.onboarding_id)
        return OnboardingsReply(items=items, counts=dict(counts), next_cursor=more)

    async def get(self, request: OnboardingGet) -> CustomerOnboarding:
        async with self._database.batch(request.principal.tenant_id) as work:
            return await self._one(work, request.onboarding_id)

    async def mark(self, request: MarkStep) -> CustomerOnboarding:
        """Keep what a person said. Raises Forbidden, NotFound, UnknownStep, NoteNeeded, ShownByRows."""
        who, tenant, now = request.principal, request.principal.tenant_id, self._runtime.now()
        require_editor(who)
        if request.step not in onboarding().steps:
            raise UnknownStep(list(onboarding().steps))
        note = request.note.strip()
        if request.state is StepState.SKIPPED and not note:
            raise NoteNeeded
        async with self._database.batch(tenant) as work:
            was = next(s for s in (await self._one(work, request.onboarding_id)).steps if s.step == request.step)
            if was.source and request.state is not StepState.DONE:
                raise ShownByRows
            if request.state is StepState.OPEN:
                status = await work.connection.execute(
                    "delete from data.onboarding_marks where tenant_id = $1 and deal_id = $2 and step = $3",
                    tenant, request.onboarding_id, request.step,
                )  # fmt: skip
            else:
                status = await work.connection.execute(
                    _SAY, tenant, request.onboarding_id, request.step, request.state.value, note, who.id, who.name, now
                )
            if not str(status).endswith(" 0"):
                work.emit(
                    subjects.AUDITED[Plane.DATA],
                    AuditRecorded(
                        entry_id=new_id(), tenant_id=tenant, kind="onboarding.step_marked", actor=who.id,
                        target=f"deal:{request.onboarding_id}", at=now, data={"step": request.step, "state": request.state.value},
                        trace_id=telemetry.trace_id(),
                    ),
                )  # fmt: skip
            return await self._one(work, request.onboarding_id)

    async def _one(self, work: BatchWork, id: UUID) -> CustomerOnboarding:
        found = await self._read(work, id)
        if not found:
            raise NotFound
        return found[0]

    async def _read(self, work: BatchWork, id: UUID | None) -> list[CustomerOnboarding]:
        rules, now, tenant = onboarding(), self._runtime.now(), work.tenants[0]
        rows = await work.connection.fetch(_CUSTOMERS, tenant, now, id, rules.window_days, MOST)
        said: dict[UUID, dict[str, Mark]] = defaultdict(dict)
        for one in await work.connection.fetch(_MARKS, tenant, [row["deal_id"] for row in rows]):
            said[one["deal_id"]][one["step"]] = Mark(StepState(one["state"]), one["at"], one["by"], one["note"])
        return [read(_customer(row, said[row["deal_id"]]), rules, now) for row in rows]


def _customer(row: Any, marks: dict[str, Mark]) -> Customer:
    shown = {kind: Shown(row[at], f"{named}:{row[id]}") for kind, at, named, id in _EVIDENCE if row[at] is not None}
    return Customer(
        deal_id=row["deal_id"], account_id=row["account_id"], account_name=row["account_name"], title=row["title"], owner=row["owner"],
        won_at=row["won_at"], shown=shown, marks=marks,
    )  # fmt: skip


def serve_onboarding(runtime: Runtime) -> None:
    """Wire it."""
    desk = Onboardings(runtime)
    runtime.bus.serve(subjects.ONBOARDINGS, desk.page)
    runtime.bus.serve(subjects.ONBOARDING, desk.get)
    runtime.bus.serve(subjects.MARK_ONBOARDING, desk.mark)
