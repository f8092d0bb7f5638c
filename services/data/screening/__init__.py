"""Reads what comes in and tells trust what the security gate found. Nothing is dropped or mended for it."""
