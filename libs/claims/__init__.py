"""Reads typed claims out of texts in Arabic and English. Pure: what it finds is a suggestion for a person, never a claim on record."""
