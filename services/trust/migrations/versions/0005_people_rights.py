"""Rights requests, what each plane has to do for them, duties with a clock, and the registers."""

from libs.runtime.migrate import row_security, run

revision = "trust_people_rights"
down_revision = "trust_0004_policy_witness"
branch_labels = None
depends_on = None

_TABLES = """
create table trust.registers (
  tenant_id uuid not null, kind text not null, entry_id uuid not null, version int not null, document jsonb not null,
  changed_by text not null, changed_at timestamptz not null default now(), created_at timestamptz not null default now(),
  deleted_at timestamptz,
  primary key (tenant_id, entry_id));
create index registers_kind on trust.registers (tenant_id, kind, entry_id);
create table trust.register_versions (
  tenant_id uuid not null, entry_id uuid not null, version int not null, document jsonb not null, changed_by text not null,
  changed_at timestamptz not null default now(),
  primary key (tenant_id, entry_id, version));

create table trust.rights_requests (
  tenant_id uuid not null, request_id uuid not null, kind text not null, state text not null, contact_id uuid not null,
  matches boolean not null, details text not null default '', received_at timestamptz not null, due_at timestamptz not null,
  extended boolean not null default false, identified_by text, closed_at timestamptz,
  primary key (tenant_id, request_id));
create table trust.rights_steps (
  tenant_id uuid not null, request_id uuid not null, seq bigint generated always as identity,
  at timestamptz not null default now(), actor text not null, step text not null, note text not null default '',
  primary key (tenant_id, request_id, seq));
create table trust.rights_tasks (
  tenant_id uuid not null, request_id uuid not null, plane text not null, done_at timestamptz, counts jsonb not null default '{}',
  primary key (tenant_id, request_id, plane));

-- Ids only, of all tenants: duties whose time runs.
create table trust.duty_clocks (
  subject_id uuid primary key, tenant_id uuid not null, kind text not null, due_at timestamptz not null);
create index duty_clocks_due on trust.duty_clocks (due_at);

insert into trust.append_only values ('register_versions');
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "registers", "register_versions", "rights_requests", "rights_steps", "rights_tasks"))
