"""Whether agents' answers were whole at once, and forecasts with what became of them."""

from libs.runtime.migrate import row_security, run

revision = "decision_datawide_answers"
down_revision = "decision_cards_0002"
branch_labels = None
depends_on = None

_TABLES = """
-- No content: which agent answered, and which declared fields its first answer lacked.
create table decision.answers (
  tenant_id uuid not null, answer_id uuid not null, agent text not null, engine text not null, at timestamptz not null default now(),
  valid_at_once boolean not null, lacking text[] not null default '{}', primary key (tenant_id, answer_id));
create index answers_at on decision.answers (tenant_id, at);
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
    run(row_security("decision", "answers", "forecasts"))
