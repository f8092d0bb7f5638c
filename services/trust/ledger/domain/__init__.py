"""The ledger's rules as values and functions: trees, entries, checkpoints, what a proof needs to read."""
