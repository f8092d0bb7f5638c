"""Trust's rules as plain values and functions: no I/O, clocks and keys are handed in."""
