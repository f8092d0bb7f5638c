"""Decisions say which flow asked for them and which record they are about; the ledger's rows are found by it, also once their text is erased."""

from libs.runtime.migrate import run

revision = "trust_0022_belonging"
down_revision = "trust_0021_one_family"
branch_labels = None
depends_on = None

_COLUMNS = """
alter table trust.ledger_entries add column run text, add column about text;
create index ledger_entries_run on trust.ledger_entries (tenant_id, run) where run is not null;
create index ledger_entries_about on trust.ledger_entries (tenant_id, about) where about is not null;
"""


def upgrade() -> None:
    run(_COLUMNS)
