"""Forecasts with what became of them."""

from libs.runtime.migrate import row_security, run

revision = "decision_0004_forecasts"
down_revision = "decision_agents_0003"
branch_labels = None
depends_on = None

_TABLES = """
create table decision.forecasts (
  tenant_id uuid not null, forecast_id uuid not null, track text not null, period_start timestamptz not null, period_end timestamptz not null,
  made_at timestamptz not null default now(), expected numeric(14,2) not null, low numeric(14,2) not null, high numeric(14,2) not null,
  basis jsonb not null, actual numeric(14,2), actual_at timestamptz, primary key (tenant_id, forecast_id));
create index forecasts_period on decision.forecasts (tenant_id, track, period_end, made_at);
-- Ids only, of all tenants: whose forecast is made anew, and when.
create table decision.forecast_turns (tenant_id uuid primary key, due_at timestamptz not null default now());
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("decision", "forecasts"))
