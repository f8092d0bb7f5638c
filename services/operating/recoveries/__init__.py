"""Backups and restore tests on record, and what trust is told of them."""
