"""Channels that operating was told to pause, until their score is above the mark again."""

from libs.runtime.migrate import row_security, run

revision = "data_0018_paused_channels"
down_revision = "data_0017_import_look"
branch_labels = None
depends_on = None

_TABLES = """
create table data.channel_pauses (
  tenant_id uuid not null, channel text not null, paused_at timestamptz not null default now(), primary key (tenant_id, channel));
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("data", "channel_pauses"))
