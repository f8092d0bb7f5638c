"""Heartbeats, controls with their deliveries and acknowledgements, flags' values, spans."""

from libs.runtime.migrate import delivery_tables, row_security, run

revision = "operating_0001"
down_revision = None
branch_labels = None
depends_on = None

_TABLES = """
create table operating.heartbeats (
  plane text not null, instance text not null, report jsonb not null, received_at timestamptz not null,
  primary key (plane, instance));

create table operating.controls (
  tenant_id uuid not null, scope text not null, target text not null, control_id uuid not null,
  paused boolean not null, version bigint not null, changed_by text not null, changed_at timestamptz not null default now(),
  primary key (tenant_id, scope, target));
create unique index controls_id on operating.controls (control_id);

create table operating.control_acknowledgements (
  tenant_id uuid not null, control_id uuid not null, plane text not null, version bigint not null,
  at timestamptz not null default now(),
  primary key (tenant_id, control_id, plane));

-- Ids only, of all tenants: what the delivery loop works off. A row goes when the plane has acknowledged that version.
create table operating.control_deliveries (
  control_id uuid not null, plane text not null, tenant_id uuid not null, version bigint not null, due_at timestamptz not null,
  tries int not null default 0,
  primary key (control_id, plane));
create index control_deliveries_due on operating.control_deliveries (due_at);

create table operating.flag_values (
  tenant_id uuid not null, name text not null, value boolean not null, version bigint not null default 1,
  changed_by text not null, changed_at timestamptz not null default now(), expires_at timestamptz,
  primary key (tenant_id, name));

create table operating.spans (
  batch_id uuid not null, tenant_id uuid, trace_id text not null, span_id text not null, parent_id text, plane text not null,
  name text not null, kind text not null, start_ns bigint not null, end_ns bigint not null, ok boolean not null,
  attributes jsonb not null, links text[] not null,
  primary key (trace_id, span_id));
create index spans_batch on operating.spans (batch_id);

-- Ids and counts only, of all tenants: how much is kept, and whose units of work may forget it.
create table operating.span_batches (
  batch_id uuid primary key, tenants uuid[] not null, spans int not null, at timestamptz not null default now());
create index span_batches_at on operating.span_batches (at, batch_id);

-- A span that names no tenant belongs to none and is seen by all; every other one by its tenant alone.
create policy tenant on operating.spans
  using (tenant_id is null or tenant_id = any(string_to_array(nullif(current_setting('dealix.tenants', true), ''), ',')::uuid[]))
  with check (tenant_id is null or tenant_id = any(string_to_array(nullif(current_setting('dealix.tenants', true), ''), ',')::uuid[]));
alter table operating.spans enable row level security;
alter table operating.spans force row level security;
"""


def upgrade() -> None:
    run(delivery_tables("operating"))
    run(_TABLES)
    run(row_security("operating", "controls", "control_acknowledgements", "flag_values"))
