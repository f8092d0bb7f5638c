"""Backup and restore: the database, the installation's secrets, and what proves that they came back whole."""
