"""What vendors send us: bindings that name the tenant, signatures over raw bytes, and people's verified WhatsApp numbers."""
