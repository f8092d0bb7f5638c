"""Verified numbers of the tenant's own people, by keyed hash, and their hours."""

from libs.runtime.migrate import row_security, run

revision = "trust_0020_own_people"
down_revision = "trust_0019_suggestions"
branch_labels = None
depends_on = None

_TABLES = """
create table trust.own_numbers (
  tenant_id uuid not null, person text not null, mac text not null, hours json, changed_at timestamptz not null default now(),
  primary key (tenant_id, person));
create index own_numbers_mac on trust.own_numbers (tenant_id, mac);
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "own_numbers"))
