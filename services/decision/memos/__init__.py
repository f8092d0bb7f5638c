"""Structured outputs: memos with provenance computed from the evidence they were made from."""
