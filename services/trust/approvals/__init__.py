"""Approvals beyond the single vote: rules, clock and escalation, delegation, many at once, edits, tokens."""
