"""Memos as plain functions: what is known goes in, the fields of a memo come out."""
