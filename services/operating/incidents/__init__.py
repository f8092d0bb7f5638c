"""Incidents: opened and ended by what the system sees, or put on record by people, each with its timeline."""
