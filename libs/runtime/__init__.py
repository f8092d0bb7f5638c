"""Plumbing that every plane uses and that knows no plane."""
