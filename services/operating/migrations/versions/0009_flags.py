"""A word on a flag may begin later, and be for a share of people."""

from libs.runtime.migrate import run

revision = "operating_0009_flags"
down_revision = "operating_0008_incidents"
branch_labels = None
depends_on = None


def upgrade() -> None:
    run(
        "alter table operating.flag_values add column share smallint not null default 100 check (share between 1 and 100), "
        "add column starts_at timestamptz;"
    )
