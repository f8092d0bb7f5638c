"""Data: operational truth. Tenants, accounts, contacts, leads, imports."""
