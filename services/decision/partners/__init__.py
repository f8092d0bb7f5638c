"""Partnerships: fit, pipeline, a first message, a meeting's brief."""
