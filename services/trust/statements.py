"""The hop's statements: what a batch of evaluations needs to know in one round trip, and what deciding it writes.

A plan is made once and kept, often while a month's part of a table is new and empty; a join of tables would then be planned as if it stayed so,
and read all of it for each batch. So what is looked up by key is a subquery of its own, which only an index can answer.
"""

from __future__ import annotations

KNOWN = """
select e.ord, now() as now, d.reply, a.approval_id, a.state as approval_state, a.expires_at < now() as lapsed,
  exists(select 1 from trust.decisions p where p.tenant_id = e.tenant and p.action_id = e.action and p.attempt < e.attempt and p.grant_id is not null
           and coalesce((select r.outcome from trust.outcome_resolutions r where r.tenant_id = p.tenant_id and r.grant_id = p.grant_id),
             (select g.outcome from trust.grant_closures g where g.tenant_id = p.tenant_id and g.grant_id = p.grant_id),
             'open') not in ('not_sent', 'failed')) as earlier_open,
  c.contact_id, c.email_mac, c.phone_mac, c.source, c.opted_out, c.cold, c.email_valid, c.collected_directly,
  case when e.mac = '' then false else exists(select 1 from trust.suppressions s where s.tenant_id = e.tenant and s.mac = e.mac) end as suppressed,
  case when e.contact is null then false else exists(select 1 from trust.rights_requests r where r.tenant_id = e.tenant
         and r.contact_id = e.contact and r.kind = 'correction' and r.state = 'identified') end as contested,
  case when e.contact is null then null else
   (select case when k.withdrawn_at is not null then 'withdrawn' when k.expires_at < now() then 'expired' else 'active' end
    from trust.consents k where k.tenant_id = e.tenant and k.contact_id = e.contact and k.channel = e.channel and k.purpose = e.purpose
    order by k.captured_at desc limit 1) end as consent,
  case when e.contact is null then 0 else
   (select count(*) from trust.decisions t where t.tenant_id = e.tenant and t.contact_id = e.contact and t.channel = e.channel
      and t.grant_id is not null and t.decided_at > now() - interval '7 days'
      and coalesce((select h.outcome from trust.grant_closures h where h.tenant_id = t.tenant_id and h.grant_id = t.grant_id), 'open')
        not in ('not_sent', 'failed')) end as touches,
  case when e.channel = '' then 0 else
   coalesce((select used from trust.caps q where q.tenant_id = e.tenant and q.channel = e.channel
              and q.day = (now() at time zone 'Asia/Riyadh')::date), 0) end as sent_today,
  case when e.agent = '' then 0 else
   (select count(*) from trust.decisions b where b.tenant_id = e.tenant and b.subject_id = e.agent and b.outcome = 'refused'
      and b.decided_at > now() - interval '10 minutes' and not exists (select 1 from trust.questions w where w.digest = b.question
        and (w.document->>'earlier_attempt_open')::boolean)) end as agent_blocks
from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[])
     with ordinality as e(tenant, action, attempt, digest, contact, channel, purpose, mac, agent, ord)
left join lateral (select reply from trust.decisions d where d.tenant_id = e.tenant and d.action_id = e.action
     and d.attempt = e.attempt and d.digest = e.digest limit 1) d on true
left join trust.contact_facts c on c.tenant_id = e.tenant and c.contact_id = e.contact
     and c.refreshed_at > now() - make_interval(hours => $10)
left join lateral (select approval_id, case when state = 'approved' and exists (select 1 from trust.approval_tokens k
       where k.tenant_id = a.tenant_id and k.approval_id = a.approval_id and k.used_by is not null) then 'spent' else state end as state, expires_at from trust.approvals a
     where a.tenant_id = e.tenant and a.action_id = e.action and a.payload_hash = e.digest
     order by approval_id desc limit 1) a on true
order by e.ord
"""

# For what needs no facts about a person or an agent, which is most: the time, and a row only where anything is on record, which is rare.
KNOWN_PLAIN = """
select now() as now, found.* from (values (1)) as always left join (
 select * from (
  select e.ord, d.reply, a.approval_id, a.state as approval_state, a.expires_at < now() as lapsed,
    e.attempt > 1 and exists(
      select 1 from trust.decisions p where p.tenant_id = e.tenant and p.action_id = e.action and p.attempt < e.attempt and p.grant_id is not null
        and coalesce((select r.outcome from trust.outcome_resolutions r where r.tenant_id = p.tenant_id and r.grant_id = p.grant_id),
          (select g.outcome from trust.grant_closures g where g.tenant_id = p.tenant_id and g.grant_id = p.grant_id),
          'open') not in ('not_sent', 'failed')) as earlier_open
  from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[]) with ordinality as e(tenant, action, attempt, digest, ord)
  left join lateral (select reply from trust.decisions d where d.tenant_id = e.tenant and d.action_id = e.action
     and d.attempt = e.attempt and d.digest = e.digest limit 1) d on true
  left join lateral (select approval_id, case when state = 'approved' and exists (select 1 from trust.approval_tokens k
       where k.tenant_id = a.tenant_id and k.approval_id = a.approval_id and k.used_by is not null) then 'spent' else state end as state, expires_at from trust.approvals a
       where a.tenant_id = e.tenant and a.action_id = e.action and a.payload_hash = e.digest
       order by approval_id desc limit 1) a on true
) e where reply is not null or approval_id is not null or earlier_open) found on true
"""

KEEP = """
with asked as (
  insert into trust.questions (digest, document) select d, q::json from unnest($17::bytea[], $18::text[]) as x(d, q) on conflict do nothing
), kept as (
  insert into trust.decisions (tenant_id, action_id, attempt, digest, decision_id, outcome, mode, effect, subject_id, contact_id,
    channel, grant_id, approval_id, policy_version, question, reply)
  select t, a, n, d, i, o, m, e, s, c, nullif(ch, ''), g, ap, pv, q, r
  from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::uuid[], $6::text[], $7::text[], $8::text[], $9::text[], $10::uuid[],
    $11::text[], $12::uuid[], $13::uuid[], $14::text[], $15::bytea[], $16::bytea[])
    as x(t, a, n, d, i, o, m, e, s, c, ch, g, ap, pv, q, r)
  returning tenant_id, channel, grant_id
)
insert into trust.caps (tenant_id, channel, day, used)
select tenant_id, channel, (now() at time zone 'Asia/Riyadh')::date, count(*) from kept
where channel is not null and grant_id is not null group by 1, 2
on conflict (tenant_id, channel, day) do update set used = caps.used + excluded.used
"""
