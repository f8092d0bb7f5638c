"""Agents: each drafts, reviews or advises, and says how sure it is. None of them can cause an effect."""
