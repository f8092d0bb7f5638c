"""Rules of consent and sending, without I/O."""
