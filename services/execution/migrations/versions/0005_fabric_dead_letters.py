"""Dead letters, circuit breakers, and rates of connectors."""

from libs.runtime.migrate import row_security, run

revision = "execution_fabric_letters"
down_revision = "execution_plugins_canaries"
branch_labels = None
depends_on = None

_TABLES = """
create table execution.dead_letters (
  tenant_id uuid not null, dead_letter_id uuid not null, action_id uuid not null, attempt int not null, action_type text not null,
  connector text not null, cause text not null, code text not null, error_en text not null, error_ar text not null, attempts int not null,
  trace_id text not null, state text not null default 'open', arrived_at timestamptz not null default now(), ended_at timestamptz,
  ended_by text, note text not null default '', new_action_id uuid,
  primary key (tenant_id, dead_letter_id));
create unique index dead_letters_open on execution.dead_letters (tenant_id, action_id) where state = 'open';

-- Ids only, of all tenants: which letters somebody is to be told about again, and when.
create table execution.dead_letter_clocks (
  tenant_id uuid not null, dead_letter_id uuid not null, due_at timestamptz not null,
  primary key (tenant_id, dead_letter_id));
create index dead_letter_clocks_due on execution.dead_letter_clocks (due_at);

create table execution.breakers (
  tenant_id uuid not null, connector text not null, failures int not null, opened int not null, open_until timestamptz,
  primary key (tenant_id, connector));

-- A bucket of tokens: what may leave live within a while. Full when there is no row.
create table execution.rate_buckets (
  tenant_id uuid not null, connector text not null, tokens double precision not null, filled_at timestamptz not null,
  primary key (tenant_id, connector));

create table execution.connector_settings (
  tenant_id uuid not null, connector text not null, per_minute int not null, changed_at timestamptz not null default now(),
  changed_by text not null,
  primary key (tenant_id, connector));

create table execution.probes (
  tenant_id uuid not null, connector text not null, status text not null, code text not null, detail_en text not null,
  detail_ar text not null, at timestamptz not null default now(),
  primary key (tenant_id, connector));

create index work_tenant_due on execution.work (tenant_id, due_at);
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("execution", "breakers", "rate_buckets", batches=True))
    run(row_security("execution", "dead_letters", "connector_settings", "probes"))
