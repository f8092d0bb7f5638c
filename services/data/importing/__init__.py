"""Bringing a file of leads in: what the file says, whom it means, and what would change."""
