"""Rows that wait for a person: conversations that end with the other side, tasks that are due, tickets that are open.

Whose rows they are is decided by the statements, never by whoever shows them.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from libs.contracts.inbox import InboxKind, InboxRecordsReply, InboxRecordsRequest, InboxRow
from libs.runtime.plane import Runtime

# $1 tenant, $2 everything, $3 the names of whoever asks, $4 whether unassigned rows are for them, $5 at most so many
_SEEN = "($2 or case when nullif(btrim({owner}), '') is null then $4 else lower(btrim({owner})) = any($3::text[]) end)"
_ACCOUNT = "left join data.accounts a on a.tenant_id = $1 and a.account_id = x.account_id"
_NAMED = "nullif(coalesce(a.name_ar, a.name, ''), '') account_name"

# The messages of one conversation are those of one contact, or else of one deal, lead or account, after the last that we sent. Somebody
# who asked not to be contacted waits for no answer.
_MESSAGES = f"""
with unanswered as (
  select t.activity_id, t.type, t.subject, t.body, t.at, t.contact_id, t.lead_id, t.deal_id,
    coalesce(t.account_id, c.account_id, d.account_id) account_id,
    coalesce(t.contact_id, t.deal_id, t.lead_id, t.account_id, t.activity_id) thread,
    coalesce(d.owner, (select o.owner from data.deals o where o.tenant_id = $1 and o.contact_id = t.contact_id and o.deleted_at is null
      and o.closed_at is null order by o.deal_id desc limit 1)) owner
  from data.activities t
  left join data.contacts c on c.tenant_id = $1 and c.contact_id = t.contact_id and c.deleted_at is null
  left join data.deals d on d.tenant_id = $1 and d.deal_id = t.deal_id and d.deleted_at is null
  where t.tenant_id = $1 and t.deleted_at is null and t.direction = 'inbound' and t.type in ('email', 'whatsapp')
    and t.at > $6::timestamptz - make_interval(days => $7) and t.at <= $6::timestamptz
    and coalesce(c.opted_out, 'no') <> 'yes' and coalesce(d.left_alone, 'no') = 'no'
    and not exists (select 1 from data.activities o where o.tenant_id = $1 and o.deleted_at is null and o.direction = 'outbound'
      and o.at > t.at and (o.contact_id = t.contact_id or o.deal_id = t.deal_id or o.lead_id = t.lead_id
        or (o.account_id = t.account_id and t.contact_id is null and t.deal_id is null and t.lead_id is null))))
, seen as (select * from unanswered x where {_SEEN.format(owner="x.owner")})
, threads as (
  select distinct on (thread) *, min(at) over (partition by thread) since, count(*) over (partition by thread) waiting
  from seen order by thread, at desc, activity_id)
select x.activity_id id, x.subject title, coalesce(x.body, '') as text, {_NAMED}, x.type channel, x.owner assignee, null::text priority,
  x.since, null::timestamptz due_at, false answered, x.waiting count, x.contact_id, x.deal_id, x.lead_id, x.account_id, count(*) over () total
from threads x {_ACCOUNT} order by x.since, x.activity_id limit $5"""
_TASKS = f"""
select x.task_id id, x.title, coalesce(x.body, '') as text, {_NAMED}, null::text channel, x.assignee, null::text priority,
  x.created_at since, x.due_at, false answered, 1 count, x.contact_id, x.deal_id, x.lead_id, x.account_id, count(*) over () total
from data.tasks x {_ACCOUNT}
where x.tenant_id = $1 and x.deleted_at is null and x.status = 'open' and x.due_at <= $6::timestamptz
  and {_SEEN.format(owner="x.assignee")} order by x.due_at, x.task_id limit $5"""
_TICKETS = f"""
select x.ticket_id id, x.title, coalesce(x.body, '') as text, {_NAMED}, null::text channel, x.assignee, x.priority,
  x.created_at since, null::timestamptz due_at, x.answered_at is not null answered, 1 count, x.contact_id, null::uuid deal_id,
  null::uuid lead_id, x.account_id, count(*) over () total
from data.tickets x {_ACCOUNT}
where x.tenant_id = $1 and x.deleted_at is null and x.status <> 'resolved' and {_SEEN.format(owner="x.assignee")}
order by x.priority, x.created_at, x.ticket_id limit $5"""
LONGEST = 500


class InboxRows:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def read(self, request: InboxRecordsRequest) -> InboxRecordsReply:
        """What waits now, at most `most` of each kind, with how many there are in all."""
        tenant, now = request.principal.tenant_id, self._runtime.now()
        rows: list[InboxRow] = []
        totals: dict[str, int] = {}
        async with self._runtime.database.batch(tenant) as work:
            for kind in request.kinds:
                sql, more = _statement(kind, request, now)
                shared = (tenant, request.everything, list(request.known_as), kind in request.unassigned, request.most)
                found = await work.connection.fetch(sql, *shared, *more)
                totals[kind.value] = found[0]["total"] if found else 0
                rows += [_row(kind, one) for one in found]
        return InboxRecordsReply(rows=tuple(rows), totals=totals)


def _statement(kind: InboxKind, request: InboxRecordsRequest, now: datetime) -> tuple[str, tuple[object, ...]]:
    """Raises KeyError for a kind that data does not keep."""
    return {
        InboxKind.MESSAGE: (_MESSAGES, (now, request.within_days)),
        InboxKind.TASK: (_TASKS, (request.tasks_until,)),
        InboxKind.TICKET: (_TICKETS, ()),
    }[kind]


def _row(kind: InboxKind, found: Any) -> InboxRow:
    values: dict[str, str | int | bool | datetime | UUID | None] = dict(found)
    del values["total"]
    return InboxRow.model_validate({**values, "kind": kind, "text": str(values["text"])[:LONGEST]})
