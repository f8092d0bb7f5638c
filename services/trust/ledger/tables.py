"""The ledger's tables, as statements for the migration that creates them."""

from pathlib import Path

TABLES: tuple[str, ...] = tuple(
    statement
    for statement in Path(__file__).with_name("tables.sql").read_text(encoding="utf-8").split(";\n")
    if statement.strip()
)
"""The statements of tables.sql in order, one each, as drivers that prepare statements want them."""
