"""Agents and skills: whether they may act, and for what."""
