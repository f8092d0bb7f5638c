"""Rules of the security gate. No I/O."""
