"""What people said about the steps of a customer's onboarding."""

from libs.runtime.migrate import row_security, run

revision = "data_0016_onboarding"
down_revision = "data_0015_key_pages"
branch_labels = None
depends_on = None

_TABLES = """
create table data.onboarding_marks (
  tenant_id uuid not null, deal_id uuid not null, step text not null, state text not null check (state in ('done', 'skipped')),
  note text not null default '', by text not null, by_name text not null default '', at timestamptz not null,
  primary key (tenant_id, deal_id, step));
create index activities_account on data.activities (tenant_id, account_id, at) where deleted_at is null;
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("data", "onboarding_marks"))
