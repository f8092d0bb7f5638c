"""Canaries of handlers, connectors, agents and models, and every assignment."""

from libs.runtime.migrate import row_security, run

revision = "execution_plugins_canaries"
down_revision = "execution_ops_work"
branch_labels = None
depends_on = None

_TABLES = """
create table execution.canaries (
  tenant_id uuid not null, canary_id uuid not null, kind text not null check (kind in ('handler', 'connector', 'agent', 'model')),
  target text not null, version text not null, percent int not null check (percent between 1 and 100),
  state text not null check (state in ('running', 'promoted', 'stopped', 'rolled_back')), guardrails jsonb not null, reason text not null,
  started_by text not null, started_at timestamptz not null default now(), changed_by text not null,
  changed_at timestamptz not null default now(), why text not null default '',
  primary key (tenant_id, canary_id));
create unique index canaries_one on execution.canaries (tenant_id, kind, target) where state in ('running', 'promoted');

-- A run is an action of an attempt, whose outcome is the action's own state; runs of agents and models report theirs.
create table execution.canary_runs (
  tenant_id uuid not null, canary_id uuid not null, run_id uuid not null, attempt int not null,
  grp text not null check (grp in ('canary', 'baseline')), version text not null, at timestamptz not null default now(), outcome text,
  primary key (tenant_id, canary_id, run_id, attempt));
create index canary_runs_window on execution.canary_runs (tenant_id, canary_id, at);
create index canary_runs_run on execution.canary_runs (tenant_id, run_id);

-- Ids only, of all tenants: what every replica watches, so that it takes up a change.
create table execution.canary_switches (tenant_id uuid primary key, revision bigint not null);
create sequence execution.canary_revision;
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("execution", "canaries", "canary_runs"))
