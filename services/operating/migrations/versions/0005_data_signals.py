"""What data told of the quality and freshness of a tenant's rows: the last look of each check."""

from libs.runtime.migrate import row_security, run

revision = "operating_0005_data_signals"
down_revision = "operating_0004_dead_events"
branch_labels = None
depends_on = None

_TABLES = """
create table operating.data_signals (
  tenant_id uuid not null, name text not null, at timestamptz not null, state text not null, share double precision,
  goal double precision not null, rows bigint not null, failed bigint not null, since timestamptz, primary key (tenant_id, name));
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("operating", "data_signals"))
