"""What an identity provider's words mean here."""
