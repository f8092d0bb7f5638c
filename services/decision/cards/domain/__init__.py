"""Decisions as short cards: one role, one reason, one to three buttons."""
