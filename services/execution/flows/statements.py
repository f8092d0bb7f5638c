"""What flows say to PostgreSQL: each statement is for a whole batch, of as many tenants as its unit of work names."""

HELD = """
select s.run, exists (select from execution.flow_signals g where g.tenant_id = x.t and g.flow_id = x.f and g.taken_seq is null), clock_timestamp()
from unnest($1::uuid[], $2::uuid[], $3::int[]) as x(t, f, e)
join execution.flow_due d on d.tenant_id = x.t and d.flow_id = x.f and d.epoch = x.e
join execution.flows s on s.tenant_id = x.t and s.flow_id = x.f
order by d.flow_id for update of d
"""
"""Locked in one order, whoever locks several. A run changes under its epoch alone, so a row whose epoch still holds once it is locked has
the run that this statement reads. A signal that comes after it wakes the flow once more."""

# A revision without a text of its own has the run's: the last one of a turn as a rule, which then is sent and read once.
ADD = """
with kept as (
  insert into execution.flows (tenant_id, flow_id, flow, version, status, parent_id, run, created_at, updated_at)
  select t, f, n, v, st, p, r::json, at, at
  from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::uuid[], $7::text[], $8::timestamptz[]) as x(t, f, n, v, st, p, r, at)
  on conflict do nothing returning tenant_id, flow_id, flow, version, run, created_at
), due as (
  insert into execution.flow_due (tenant_id, flow_id, flow, version, wake_at) select tenant_id, flow_id, flow, version, now() from kept
), told as (
  insert into execution.flow_revisions (tenant_id, flow_id, seq, revision_id, at, note, step, by, checkpoint)
  select x.t, x.f, x.q, x.i, k.created_at, x.n, x.s, x.b, coalesce(x.c::json, k.run)
  from unnest($9::uuid[], $10::uuid[], $11::int[], $12::uuid[], $13::text[], $14::text[], $15::text[], $16::text[]) as x(t, f, q, i, n, s, b, c)
  join kept k on k.tenant_id = x.t and k.flow_id = x.f
)
select tenant_id, flow_id from kept
"""

SAVE = """
with x as (
  select * from unnest($1::uuid[], $2::uuid[], $3::text[], $4::int[], $5::text[], $6::bool[], $7::timestamptz[], $8::bool[], $9::text[])
    as x(t, f, st, v, run, over, wake, keep, name)
), kept as (
  update execution.flows s set status = x.st, version = x.v, run = x.run::json, updated_at = $10
  from x where s.tenant_id = x.t and s.flow_id = x.f returning s.tenant_id, s.flow_id, s.run
), gone as (
  delete from execution.flow_due d using x where x.over and d.tenant_id = x.t and d.flow_id = x.f
), told as (
  insert into execution.flow_revisions (tenant_id, flow_id, seq, revision_id, at, note, step, by, checkpoint)
  select r.t, r.f, r.q, r.i, $10, r.n, r.s, r.b, coalesce(r.c::json, k.run)
  from unnest($11::uuid[], $12::uuid[], $13::int[], $14::uuid[], $15::text[], $16::text[], $17::text[], $18::text[]) as r(t, f, q, i, n, s, b, c)
  join kept k on k.tenant_id = r.t and k.flow_id = r.f
), rest as (
  update execution.flow_due d set wake_at = x.wake, version = x.v,
    lease_owner = case when x.keep then d.lease_owner end, lease_until = case when x.keep then d.lease_until end
  from x where not x.over and d.tenant_id = x.t and d.flow_id = x.f returning d.tenant_id, d.flow_id
)
insert into execution.flow_due (tenant_id, flow_id, flow, version, wake_at)
select t, f, name, v, wake from x where not over and not exists (select from rest where rest.tenant_id = x.t and rest.flow_id = x.f)
on conflict (tenant_id, flow_id) do update set wake_at = excluded.wake_at, version = excluded.version
"""
"""An ended flow that goes on, to be rolled back, has no place in the queue: it gets one again, unless its parent was first."""

WAKE = """
with gone as (
  delete from execution.flow_wakes where wake_id in (select wake_id from execution.flow_wakes order by wake_id limit $1 for update skip locked)
  returning tenant_id, flow_id
), locked as (
  select d.tenant_id, d.flow_id from execution.flow_due d where (d.tenant_id, d.flow_id) in (select tenant_id, flow_id from gone)
  order by d.flow_id for update
)
update execution.flow_due d set wake_at = least(coalesce(d.wake_at, now()), now()) from locked l
where d.tenant_id = l.tenant_id and d.flow_id = l.flow_id
"""

# Materialized: as a part of the join it could be read again for each row.
CLAIM = """
with n as materialized (
  select tenant_id, flow_id from execution.flow_due where wake_at <= now() and (lease_until is null or lease_until < now())
  order by wake_at limit $2 for update skip locked
)
update execution.flow_due d set lease_owner = $1, lease_until = now() + make_interval(secs => $3), epoch = d.epoch + 1
from n where d.tenant_id = n.tenant_id and d.flow_id = n.flow_id returning d.tenant_id, d.flow_id, d.epoch
"""

SIGNALS = """
select s.* from unnest($1::uuid[], $2::uuid[]) as x(t, f) join execution.flow_signals s on s.tenant_id = x.t and s.flow_id = x.f
where s.taken_seq is null order by s.at, s.signal_id
"""
