"""Which action each message of an approved sequence was used for: once, for ever."""

from libs.runtime.migrate import row_security, run

revision = "trust_0015_sequence_approvals"
down_revision = "trust_0014_observations"
branch_labels = None
depends_on = None

_TABLES = """
create table trust.sequence_uses (
  tenant_id uuid not null, approval_id uuid not null, number int not null, action_id uuid not null,
  used_at timestamptz not null default now(), primary key (tenant_id, approval_id, number));
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "sequence_uses"))
