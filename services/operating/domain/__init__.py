"""Operating's rules as plain values: no I/O, and the time is passed in."""
