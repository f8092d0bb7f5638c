"""Rules of durable flows, without I/O: declarations, the machine that moves a run, what people may command."""
