"""Reviewers that read every draft before a person does: quality, claims, compliance."""
