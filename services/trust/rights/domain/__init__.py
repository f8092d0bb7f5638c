"""Rules of rights requests, without I/O."""
