"""Agents that a model may answer for: their prompts, the forms of their answers, and how sure one can be of those."""
