"""What looks at data quality found, and whose turn is next."""

from libs.runtime.migrate import row_security, run

revision = "data_insight_quality"
down_revision = "data_cards_partners"
branch_labels = None
depends_on = None

_TABLES = """
create table data.quality_looks (
  tenant_id uuid not null, name text not null, at timestamptz not null, rows bigint not null, failed bigint not null,
  sample text[] not null default '{}', primary key (tenant_id, name, at));
-- Ids only, of all tenants.
create table data.quality_turns (tenant_id uuid primary key, due_at timestamptz not null default now());
create index quality_turns_due on data.quality_turns (due_at);
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("data", "quality_looks"))
