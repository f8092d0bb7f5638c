"""Execution's rules as plain values and functions: no I/O."""
