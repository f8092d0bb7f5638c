"""Whom to contact first, and why: ranking of leads with its parts shown."""
