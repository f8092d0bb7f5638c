"""What a tenant pays its vendors for one effect, from when on."""

from libs.runtime.migrate import row_security, run

revision = "execution_0008_prices"
down_revision = "execution_flows_engine"
branch_labels = None
depends_on = None

_TABLES = """
create table execution.prices (
  tenant_id uuid not null, connector text not null, since timestamptz not null, sar numeric(12,4) not null check (sar >= 0),
  reference text not null, set_by text not null, recorded_at timestamptz not null default now(), primary key (tenant_id, connector, since));
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("execution", "prices"))
