"""Rules of enrichment, without I/O."""
