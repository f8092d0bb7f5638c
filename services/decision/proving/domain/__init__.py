"""Rules of the proof pack without I/O: the estimate, the next step, the path of services."""
