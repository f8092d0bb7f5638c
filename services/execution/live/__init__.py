"""Connectors as tenants set them up: credentials, probes, rates, and the switch from the sandbox to the real thing."""
