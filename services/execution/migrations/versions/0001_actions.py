"""Actions, the queue of ids, dispatches, the sandbox mailbox, controls, credentials."""

from libs.runtime.migrate import delivery_tables, row_security, run

revision = "execution_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table execution.actions (
  tenant_id uuid not null, action_id uuid not null, action_type text not null, effect text not null, state text not null,
  attempt int not null, resource_type text not null, resource_id text not null, payload text not null, salt text not null,
  principal json not null, reason text not null, run_id text not null, approval_token text, idempotency_key text,
  headers json not null, trace_id text not null, linked_traces text[] not null default '{}', waiting_for text,
  class text, mode text, reasons json, approval_id uuid, grant_id uuid, policy_version text, connector_mode text, receipt json,
  error text not null default '', timeline jsonb not null, accepted_at timestamptz not null default now(),
  primary key (tenant_id, action_id));
create unique index actions_idempotency on execution.actions (tenant_id, idempotency_key) where idempotency_key is not null;
create index actions_state on execution.actions (tenant_id, state, action_id);

-- Ids only, of all tenants: what is to be done, by whom, until when.
create table execution.work (
  action_id uuid primary key, tenant_id uuid not null, due_at timestamptz not null default now(), lease_owner text,
  lease_until timestamptz, epoch int not null default 0, tries int not null default 0);
create index work_due on execution.work (due_at);

-- One row a dispatch, for ever: a grant's nonce is used once. An action that is accepted and has a dispatch of its attempt is
-- dispatched; the decision that let it go stands here until the outcome takes it over to the action.
create table execution.dispatches (
  tenant_id uuid not null, action_id uuid not null, attempt int not null, grant_id uuid not null, nonce text not null,
  connector text not null, connector_mode text, class text not null, mode text not null, reasons json not null, approval_id uuid,
  policy_version text not null, at timestamptz not null default now(),
  primary key (tenant_id, action_id, attempt));
create unique index dispatches_nonce on execution.dispatches (nonce);

create table execution.sandbox (
  tenant_id uuid not null, message_id uuid not null, action_id uuid not null, connector text not null, operation text not null,
  at timestamptz not null, request json not null,
  primary key (tenant_id, message_id));

create table execution.controls (
  tenant_id uuid not null, scope text not null, target text not null, paused boolean not null, version bigint not null,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, scope, target));

create table execution.credentials (
  tenant_id uuid not null, connector text not null, sealed bytea not null, changed_at timestamptz not null default now(),
  primary key (tenant_id, connector));

create table execution.append_only (name text primary key);
insert into execution.append_only values ('dispatches'), ('sandbox');
"""


def upgrade() -> None:
    run(delivery_tables("execution"))
    run(_TABLES)
    run(row_security("execution", "actions", "dispatches", "sandbox", batches=True))
    run(row_security("execution", "credentials"))
