"""Approvals complete: a tenant's rules, the clock's thresholds, lent rights, edits, tokens."""

from libs.runtime.migrate import row_security, run

revision = "trust_people_approvals"
down_revision = "trust_0001"
branch_labels = None
depends_on = None

_TABLES = """
create table trust.rules (
  tenant_id uuid not null, version int not null, document jsonb not null, changed_by text not null,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, version));

alter table trust.approvals add column stage text not null default '', add column replaced_by_action uuid;
alter table trust.approval_steps add column on_behalf text not null default '';

-- Ids only, of all tenants: the clock's thresholds that have not been reached yet.
create table trust.approval_ticks (
  approval_id uuid not null, stage text not null, tenant_id uuid not null, due_at timestamptz not null,
  primary key (approval_id, stage));
create index approval_ticks_due on trust.approval_ticks (due_at);

create table trust.delegations (
  tenant_id uuid not null, delegation_id uuid not null, approval_id uuid, from_id text not null, to_id text not null,
  starts_at timestamptz not null, ends_at timestamptz not null, ended_at timestamptz, document jsonb not null,
  primary key (tenant_id, delegation_id));
create index delegations_to on trust.delegations (tenant_id, to_id, ends_at);

create table trust.approval_edits (
  tenant_id uuid not null, approval_id uuid not null, action_id uuid not null, document jsonb not null,
  at timestamptz not null default now(),
  primary key (tenant_id, approval_id));
create unique index approval_edits_action on trust.approval_edits (tenant_id, action_id);

create table trust.approval_tokens (
  tenant_id uuid not null, mac text not null, approval_id uuid not null, expires_at timestamptz not null,
  used_by uuid, used_at timestamptz,
  primary key (tenant_id, mac));
create unique index approval_tokens_one on trust.approval_tokens (tenant_id, approval_id);

insert into trust.append_only values ('rules');
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "rules", "delegations", "approval_edits", "approval_tokens"))
