"""Deals as they went, and those that were closed before anybody recorded them here."""
