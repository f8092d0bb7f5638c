"""Tells trust what the gateway knows of people, their sessions and keys, and the rules of signing in."""
