"""What is pushed to tenants' own systems: webhooks, and the audit trail for a SIEM."""
