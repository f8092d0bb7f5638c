"""Onboarding of customers: seven steps, done by what happens or by people."""
