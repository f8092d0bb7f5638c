"""What in the records waits for somebody, by one reading of a tenant's tables."""

from __future__ import annotations

from typing import Any

from libs.contracts.catalogue.records import Stage
from libs.contracts.waiting import (
    Answer,
    WaitingDeal,
    WaitingPartner,
    WaitingReply,
    WaitingRequest,
    WaitingTicket,
)
from libs.runtime.plane import Runtime

_NAME = "coalesce(a.name_ar, a.name, '')"
_DEAL = f"""
select d.deal_id, {_NAME} account_name, d.title, d.stage, d.amount, d.currency, touched.at touched_at,
  coalesce(d.lead_id,
    (select l.lead_id from data.leads l where l.tenant_id = $1 and l.contact_id = d.contact_id and l.deleted_at is null order by l.lead_id desc limit 1),
    (select l.lead_id from data.leads l where l.tenant_id = $1 and l.account_id = d.account_id and l.deleted_at is null order by l.lead_id desc limit 1)
  ) lead_id
from data.deals d left join data.accounts a on a.tenant_id = $1 and a.account_id = d.account_id
cross join lateral (select greatest(d.updated_at, (select max(t.at) from data.activities t
  where t.tenant_id = $1 and t.deal_id = d.deal_id and t.deleted_at is null and t.at <= $2::timestamptz)) at) touched
where d.tenant_id = $1 and d.deleted_at is null"""
# A deal that is left alone on purpose, so that the effect of working on the others can be told, is no work for anybody here.
_DEALS = f"{_DEAL} and d.left_alone = 'no' and d.closed_at is null and touched.at < $2::timestamptz - make_interval(days => $3) order by touched.at limit $4"
_WON = (
    f"{_DEAL} and d.stage = $5 and d.closed_at > $2::timestamptz - make_interval(days => $3) and not exists (select 1 from data.activities t "
    "where t.tenant_id = $1 and t.deal_id = d.deal_id and t.deleted_at is null and t.at > d.closed_at) order by d.closed_at limit $4"
)
_QUIET = (
    f"{_DEAL} and d.stage = $5 and d.closed_at <= $2::timestamptz - make_interval(days => $6) and touched.at < $2::timestamptz - make_interval(days => $3) "
    "order by touched.at limit $4"
)
_ANSWERS = f"""
select t.activity_id, {_NAME} account_name, concat_ws(E'\\n', t.subject, t.body) as text, t.at, t.deal_id,
  coalesce(t.lead_id, d.lead_id,
    (select l.lead_id from data.leads l where l.tenant_id = $1 and l.contact_id = t.contact_id and l.deleted_at is null order by l.lead_id desc limit 1)
  ) lead_id, d.amount, coalesce(d.currency, 'SAR') currency
from data.activities t left join data.deals d on d.tenant_id = $1 and d.deal_id = t.deal_id and d.deleted_at is null
left join data.accounts a on a.tenant_id = $1 and a.account_id = coalesce(t.account_id, d.account_id)
where t.tenant_id = $1 and t.deleted_at is null and t.direction = 'inbound' and t.at > $2::timestamptz - make_interval(days => $3) and t.at <= $2::timestamptz
  and d.closed_at is null and coalesce(d.left_alone, 'no') = 'no'
  and not exists (select 1 from data.activities o where o.tenant_id = $1 and o.deleted_at is null and o.direction = 'outbound' and o.at > t.at
    and (o.deal_id = t.deal_id or o.contact_id = t.contact_id or o.lead_id = t.lead_id))
order by t.at desc limit $4"""
_PARTNERS = """
select partner_id, name, name_ar, stage, next_step, next_step_on, amount, updated_at touched_at from data.partners
where tenant_id = $1 and deleted_at is null and stage <> 'exit'
  and (next_step_on <= $2::date or (next_step_on is null and updated_at < $2::timestamptz - make_interval(days => $3)))
order by coalesce(next_step_on::timestamptz, updated_at) limit $4"""
_TICKETS = f"""
select t.ticket_id, t.title, nullif({_NAME}, '') account_name, t.priority, t.status, t.created_at opened_at, t.answered_at
from data.tickets t left join data.accounts a on a.tenant_id = $1 and a.account_id = t.account_id
where t.tenant_id = $1 and t.deleted_at is null and t.status <> 'resolved' order by t.priority, t.created_at limit $2"""


class WaitingDesk:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def read(self, request: WaitingRequest) -> WaitingReply:
        """All that waits, as it is now."""
        tenant, most, now = request.tenant_id, request.most, self._runtime.now()
        async with self._runtime.database.batch(tenant) as work:
            c = work.connection
            deals = await c.fetch(_DEALS, tenant, now, request.deal_idle_days, most)
            won = await c.fetch(_WON, tenant, now, request.won_within_days, most, Stage.WON.value)
            quiet = await c.fetch(
                _QUIET, tenant, now, request.customer_idle_days, most, Stage.WON.value, request.won_within_days
            )
            answers = await c.fetch(_ANSWERS, tenant, now, request.answered_within_days, most)
            partners = await c.fetch(_PARTNERS, tenant, now, request.partner_idle_days, most)
            tickets = await c.fetch(_TICKETS, tenant, most)
        return WaitingReply(
            deals=tuple(_deal(row) for row in deals),
            won=tuple(_deal(row) for row in won),
            quiet=tuple(_deal(row) for row in quiet),
            answers=tuple(Answer(**dict(row)) for row in answers),
            partners=tuple(WaitingPartner(**dict(row)) for row in partners),
            tickets=tuple(WaitingTicket(**dict(row)) for row in tickets),
        )


def _deal(row: Any) -> WaitingDeal:
    return WaitingDeal(**dict(row))
