"""Rules of the CRM, without I/O."""
