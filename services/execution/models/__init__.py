"""Asking models: who may be asked and in which order, what it costs, and the connectors that ask."""
