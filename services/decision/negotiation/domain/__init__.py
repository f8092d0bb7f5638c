"""Objections: what kind one is, and what the playbook answers."""
