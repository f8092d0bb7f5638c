"""Runs of agents by day, against the budget of the day."""

from libs.runtime.migrate import row_security, run

revision = "decision_0005_agent_usage"
down_revision = "decision_0004_forecasts"
branch_labels = None
depends_on = None

_TABLES = """
create table decision.agent_usage (
  tenant_id uuid not null, day date not null, runs int not null, refused int not null default 0, budget int not null,
  cost_sar numeric(12,2) not null default 0, primary key (tenant_id, day));
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("decision", "agent_usage"))
