"""Connectors: the only way out of this system. One file a vendor, one contract."""
