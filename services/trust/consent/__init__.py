"""Consent, suppression, unsubscribing, caps: whom this tenant may write to, and how often."""
