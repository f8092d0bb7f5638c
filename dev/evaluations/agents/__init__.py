"""Evaluation sets of the agents that answer without a model: made-up questions, and what a good answer holds."""
