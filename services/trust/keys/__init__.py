"""Signing keys over time: published for ever, replaced without a stop."""
