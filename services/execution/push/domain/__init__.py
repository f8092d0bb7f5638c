"""Rules of pushing. No I/O."""
