"""What planes tell about themselves, and entries of commands by kind: what controls on security are read from."""

from libs.runtime.migrate import row_security, run

revision = "trust_0014_observations"
down_revision = "trust_0013_privacy_controls"
branch_labels = None
depends_on = None

_TABLES = """
create table trust.observations (
  tenant_id uuid not null, plane text not null, kind text not null, subject text not null, at timestamptz not null, document jsonb not null,
  primary key (tenant_id, kind, subject));

-- Few entries are of these kinds: the others, of which there are millions, pay nothing for this.
create index ledger_entries_commands on trust.ledger_entries (tenant_id, kind, entry_id)
  where kind in ('control_commanded', 'control_acknowledged');
"""


def upgrade() -> None:
    run(_TABLES)
    run(row_security("trust", "observations"))
