"""The statements of the hot path: each moves a whole batch in one round trip."""

ACCEPT = """
with given as (
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[],
    $11::text[], $12::text[], $13::text[], $14::text[], $15::text[]) as x(t, a, ty, ef, rt, ri, pl, sa, pr, re, ru, tok, ik, he, tr)
), keyed as (
  insert into execution.action_keys (tenant_id, idempotency_key, action_id) select t, ik, a from given where ik is not null
  on conflict do nothing returning tenant_id, action_id
), kept as (
  insert into execution.actions (tenant_id, action_id, action_type, effect, state, attempt, resource_type, resource_id, payload, salt,
    principal, reason, run_id, approval_token, idempotency_key, headers, trace_id, timeline)
  select t, a, ty, ef, 'accepted', 1, rt, ri, pl, sa, pr::json, re, ru, tok, ik, he::json, tr,
    jsonb_build_array(jsonb_build_object('at', now(), 'state', 'accepted', 'trace_id', tr))
  from given where ik is null or exists (select 1 from keyed k where k.tenant_id = t and k.action_id = a)
  on conflict do nothing returning tenant_id, action_id
), queued as (
  insert into execution.work (tenant_id, action_id, lease_owner, lease_until)
  select tenant_id, action_id, $16, now() + make_interval(secs => $17) from kept
)
select tenant_id, action_id from kept
"""

# A dispatch is recorded by its row alone: the action's own row keeps `accepted` until there is an outcome, and is only locked, so that
# it is not rewritten twice. Whoever reads it together with its dispatch sees `dispatched`.
DISPATCHED = """
select s.tenant_id, s.action_id from unnest($1::uuid[], $2::uuid[], $3::int[]) as x(t, a, n)
join execution.actions s on s.tenant_id = x.t and s.action_id = x.a
where s.attempt = x.n and s.state = 'accepted' for no key update of s
"""

# The queue is not joined: whenever PostgreSQL last saw it empty, it plans as if it were, and a join then reads the whole queue once for each
# row. An array of ids can only be looked up in the key, and `is true` keeps the pair's test from becoming a join again.
MOVE = """
with x as (
  select * from unnest($1::uuid[], $2::uuid[], $3::int[], $4::text[], $5::text[], $6::bool[], $7::text[], $8::text[], $9::text[],
    $10::uuid[], $11::uuid[], $12::text[], $13::text[], $14::text[], $15::text[], $16::float8[], $17::int[], $18::text[], $19::bool[])
    as x(t, a, n, st, detail, final, cl, mo, rs, ap, gr, pv, rc, er, wf, due, nx, cm, sent)
), y as (
  select x.*, d.at, d.class, d.mode, d.reasons, d.approval_id, d.policy_version, d.connector_mode
  from x left join execution.dispatches d on x.sent and d.tenant_id = x.t and d.action_id = x.a and d.attempt = x.n
), moved as (
  update execution.actions s set state = y.st, class = coalesce(y.cl, y.class, s.class), mode = coalesce(y.mo, y.mode, s.mode),
    reasons = coalesce(y.rs::json, y.reasons, s.reasons), approval_id = coalesce(y.ap, y.approval_id, s.approval_id),
    grant_id = coalesce(y.gr, s.grant_id), policy_version = coalesce(y.pv, y.policy_version, s.policy_version),
    receipt = coalesce(y.rc::json, s.receipt), error = y.er, waiting_for = y.wf, attempt = coalesce(y.nx, s.attempt),
    connector_mode = coalesce(y.cm, y.connector_mode, s.connector_mode),
    timeline = case when y.at is not null then
                 s.timeline || jsonb_build_array(jsonb_build_object('at', y.at, 'state', 'dispatched', 'detail', ''),
                                                 jsonb_build_object('at', now(), 'state', y.st, 'detail', y.detail))
               when s.state = y.st and y.detail = '' then s.timeline
               else s.timeline || jsonb_build_object('at', now(), 'state', y.st, 'detail', y.detail) end
  from y where s.tenant_id = y.t and s.action_id = y.a and s.attempt = y.n and s.state in ('accepted', 'unknown')
  returning s.tenant_id, s.action_id, y.final, y.due
), gone as (
  delete from execution.work w where w.action_id = any(array(select action_id from moved where final))
    and ((w.tenant_id, w.action_id) in (select tenant_id, action_id from moved where final)) is true
), later as (
  update execution.work w set lease_owner = null, lease_until = null, tries = w.tries + 1,
    due_at = now() + make_interval(secs => (select m.due from moved m where m.tenant_id = w.tenant_id and m.action_id = w.action_id))
  where w.action_id = any(array(select action_id from moved where not final and due >= 0))
    and ((w.tenant_id, w.action_id) in (select tenant_id, action_id from moved where not final and due >= 0)) is true
)
select tenant_id, action_id from moved
"""

ACTIONS = """
select a.tenant_id, a.action_id, a.action_type, coalesce(d.class, a.class) as class, coalesce(d.mode, a.mode) as mode,
  case when d.at is null then a.state else 'dispatched' end as state, coalesce(d.reasons, a.reasons) as reasons, a.resource_type,
  a.resource_id, a.payload, coalesce(d.approval_id, a.approval_id) as approval_id, coalesce(d.grant_id, a.grant_id) as grant_id,
  a.receipt, coalesce(d.policy_version, a.policy_version) as policy_version, a.trace_id, a.linked_traces, a.waiting_for, a.attempt,
  a.principal, a.error, case when d.at is null then a.timeline
    else a.timeline || jsonb_build_object('at', d.at, 'state', 'dispatched', 'detail', '') end as timeline
from execution.actions a left join execution.dispatches d
  on a.state = 'accepted' and d.tenant_id = a.tenant_id and d.action_id = a.action_id and d.attempt = a.attempt
"""

# Tenants take turns: the first due action of each, then the second of each. Their names are read by skipping through the index, so that
# one tenant's long queue costs the others nothing. More candidates than are taken, because another replica may be locking the same ones.
CLAIM = """
with recursive tenants as (
  (select tenant_id from execution.work order by tenant_id limit 1)
  union all
  select (select w.tenant_id from execution.work w where w.tenant_id > t.tenant_id order by w.tenant_id limit 1)
  from tenants t where t.tenant_id is not null
), due as (
  select d.tenant_id, d.action_id, d.due_at, d.place from tenants t cross join lateral (
    select x.*, row_number() over (order by x.due_at, x.action_id) as place from (
      select tenant_id, action_id, due_at from execution.work w where w.tenant_id = t.tenant_id and w.due_at <= now()
        and (w.lease_until is null or w.lease_until < now()) order by w.due_at limit 2 * $2) x) d
  where t.tenant_id is not null order by d.place, d.due_at limit 4 * $2
), mine as (
  select w.tenant_id, w.action_id from execution.work w join due d on d.tenant_id = w.tenant_id and d.action_id = w.action_id
  where w.due_at <= now() and (w.lease_until is null or w.lease_until < now()) order by d.place, d.due_at limit $2 for update of w skip locked
)
update execution.work w set lease_owner = $1, lease_until = now() + make_interval(secs => $3), epoch = w.epoch + 1
from mine m where w.tenant_id = m.tenant_id and w.action_id = m.action_id
returning w.tenant_id, w.action_id, w.epoch, w.tries
"""
