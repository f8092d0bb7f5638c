"""How far an onboarding is, without I/O."""
