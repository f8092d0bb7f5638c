"""How messages were received, counted once each."""

from libs.runtime.migrate import row_security, run

revision = "data_crm_0005"
down_revision = "data_crm_0004"
branch_labels = None
depends_on = None

_TABLES = """
create table data.sender_signals (
  tenant_id uuid not null, external_id text not null, channel text not null, kind text not null, at timestamptz not null,
  primary key (tenant_id, kind, external_id));
create index sender_signals_at on data.sender_signals (tenant_id, at);
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("data", "sender_signals"))
