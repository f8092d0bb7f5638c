"""Which action undoes which."""

from libs.runtime.migrate import row_security, run

revision = "execution_fabric_settling"
down_revision = "execution_fabric_letters"
branch_labels = None
depends_on = None

_TABLES = """
create table execution.compensations (
  tenant_id uuid not null, action_id uuid not null, compensating_id uuid not null, at timestamptz not null default now(),
  primary key (tenant_id, action_id));
create index compensations_by on execution.compensations (tenant_id, compensating_id);
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("execution", "compensations", batches=True))
