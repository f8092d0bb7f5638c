"""The ledger's tables, as statements for the migration that creates them."""

from pathlib import Path

TABLES: tuple[str, ...] = tuple(
    statement
    for statement in Path(__file__).with_name("tables.sql").read_text(encoding="utf-8").split(";\n")
    if statement.strip()
)
"""The statements of tables.sql in order, one each, as drivers that prepare statements want them."""

BELONGING = """
alter table trust.ledger_entries add column run text, add column about text;
create index ledger_entries_run on trust.ledger_entries (tenant_id, run) where run is not null;
create index ledger_entries_about on trust.ledger_entries (tenant_id, about) where about is not null;
"""
"""What came later: the flow that asked for a decision, and the record that it is about."""
