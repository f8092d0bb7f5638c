"""Models that tenants may use with their prices, their day's budget, and what of it is used."""

from libs.runtime.migrate import row_security, run

revision = "execution_0011_models"
down_revision = "execution_0010_months"
branch_labels = None
depends_on = None

_TABLES = """
-- Prices in SAR for a million tokens, as people read them in a contract.
create table execution.models (
  tenant_id uuid not null, provider text not null, model text not null, input_sar numeric(12,4) not null check (input_sar >= 0),
  output_sar numeric(12,4) not null check (output_sar >= 0), usual boolean not null, reference text not null default '',
  set_by text not null, changed_at timestamptz not null default now(), primary key (tenant_id, provider, model));
create table execution.model_budgets (
  tenant_id uuid primary key, tokens_a_day bigint not null check (tokens_a_day >= 0), sar_a_day numeric(12,4) not null check (sar_a_day >= 0),
  set_by text not null, changed_at timestamptz not null default now());
create table execution.model_usage (
  tenant_id uuid not null, day date not null, tokens bigint not null default 0, sar numeric(16,6) not null default 0,
  calls int not null default 0, refused int not null default 0, primary key (tenant_id, day));
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("execution", "models", "model_budgets", "model_usage"))
