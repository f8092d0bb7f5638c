"""Durable flows: runs, their revisions, signals, and the queue of ids with timers and leases."""

from libs.runtime.migrate import row_security, run

revision = "execution_flows_engine"
down_revision = "execution_fabric_settling"
branch_labels = None
depends_on = None

_TABLES = """
create table execution.flows (
  tenant_id uuid not null, flow_id uuid not null, flow text not null, version int not null, status text not null, parent_id uuid,
  run json not null, created_at timestamptz not null default now(), updated_at timestamptz not null default now(),
  primary key (tenant_id, flow_id));
create index flows_status on execution.flows (tenant_id, status, flow_id);

-- One row a transition, with the whole state after it.
create table execution.flow_revisions (
  tenant_id uuid not null, flow_id uuid not null, seq int not null, revision_id uuid not null, at timestamptz not null, note text not null,
  step text not null, by text not null, checkpoint json not null,
  primary key (tenant_id, flow_id, seq));

-- Kept until a step takes it: a signal may come before anybody waits for it, and the same one comes once.
create table execution.flow_signals (
  tenant_id uuid not null, flow_id uuid not null, signal_id uuid not null, name text not null, payload json not null, sent_by text not null,
  at timestamptz not null default now(), taken_seq int,
  primary key (tenant_id, flow_id, signal_id));
create index flow_signals_waiting on execution.flow_signals (tenant_id, flow_id) where taken_seq is null;

-- Ids only, of all tenants: when a flow's clock goes on, who has it in hand until when, and under which epoch.
create table execution.flow_due (
  tenant_id uuid not null, flow_id uuid not null, flow text not null, version int not null, wake_at timestamptz, lease_owner text,
  lease_until timestamptz, epoch int not null default 0,
  primary key (tenant_id, flow_id));
create index flow_due_wake on execution.flow_due (wake_at) where wake_at is not null;

-- Ids only: flows that something has happened to. Insert-only for whoever tells, so that nobody waits for a flow that is in hand.
create table execution.flow_wakes (
  wake_id bigint generated always as identity primary key, tenant_id uuid not null, flow_id uuid not null);

-- An action of a flow that moves makes its flow due, in the same transaction, whichever way it moved.
create function execution.wake_flow() returns trigger language plpgsql as $$
begin
  insert into execution.flow_wakes (tenant_id, flow_id) values (new.tenant_id, substr(new.run_id, 6)::uuid);
  return null;
end $$;
create trigger actions_wake_flow after update of state on execution.actions for each row
  when (new.state is distinct from old.state and new.run_id ~ '^flow:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$')
  execute function execution.wake_flow();
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("execution", "flows", "flow_signals", batches=True))
    run(row_security("execution", "flow_revisions"))
