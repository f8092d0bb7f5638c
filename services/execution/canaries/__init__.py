"""Canaries of handlers, connectors, agents and models: who takes the new version, what is recorded, when it ends by itself."""
