"""Contacts reached in a period and whether they answered: from signals of what was really sent, and from what people recorded."""

from __future__ import annotations

from libs.contracts import subjects
from libs.contracts.learning import OutcomesReply, OutcomesRequest, Touch
from libs.runtime.plane import Runtime

TEXTS = 1000
LONGEST = 2000
# A message counts as sent by its signal, which the sandbox never gives: that reaches nobody. A contact counts once a channel, at first.
_TOUCHES = """
with touches as (
  select d.action_id, d.contact_id, s.channel, s.at from unnest($5::uuid[], $6::uuid[]) as d(action_id, contact_id)
  join data.sender_signals s on s.tenant_id = $1 and s.external_id = 'action:' || d.action_id and s.kind = 'sent'
  where s.at >= $2::timestamptz and s.at < $3::timestamptz
  union all
  select null, t.contact_id, t.type, t.at from data.activities t where t.tenant_id = $1 and t.deleted_at is null and t.direction = 'outbound'
    and t.type <> 'note' and t.contact_id is not null and not $8::bool and t.at >= $2 and t.at < $3)
, once as (select distinct on (contact_id, channel) * from touches order by contact_id, channel, at, action_id nulls last)
select o.action_id, o.contact_id, o.channel, o.at, nullif(coalesce(a.fields->>'sector', a.fields->>'sector_text', ''), '') sector,
  exists (select 1 from data.activities r where r.tenant_id = $1 and r.deleted_at is null and r.direction = 'inbound' and r.type <> 'note'
    and r.contact_id = o.contact_id and r.at > o.at and r.at <= o.at + make_interval(days => $4)) replied
from once o join data.contacts c on c.tenant_id = $1 and c.contact_id = o.contact_id and c.deleted_at is null
left join data.accounts a on a.tenant_id = $1 and a.account_id = c.account_id
order by o.at desc, o.contact_id, o.channel limit $7"""
_TEXTS = """
select left(concat_ws(E'\\n', t.subject, t.body), $4) said from data.activities t where t.tenant_id = $1 and t.deleted_at is null
  and t.direction = 'inbound' and t.type in ('email', 'whatsapp', 'call') and t.at >= $2 and t.at < $3 order by t.at desc, t.activity_id limit $5"""


class Outcomes:
    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    async def read(self, request: OutcomesRequest) -> OutcomesReply:
        tenant = request.principal.tenant_id
        async with self._runtime.database.batch(tenant) as work:
            rows = await work.connection.fetch(
                _TOUCHES, tenant, request.since, request.until, request.reply_days, [one.action_id for one in request.drafts],
                [one.contact_id for one in request.drafts], request.most + 1, request.drafts_only,
            )  # fmt: skip
            texts = (
                []
                if request.drafts_only
                else await work.connection.fetch(_TEXTS, tenant, request.since, request.until, LONGEST, TEXTS)
            )
        touches = tuple(Touch(**dict(row)) for row in rows[: request.most])
        return OutcomesReply(
            touches=touches,
            texts=tuple(row["said"] for row in texts),
            capped=len(rows) > request.most or len(texts) == TEXTS,
        )


def serve_outcomes(runtime: Runtime) -> None:
    """Wire it."""
    runtime.bus.serve(subjects.OUTCOMES, Outcomes(runtime).read)
