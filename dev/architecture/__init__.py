"""The architecture audit over a source tree: what `dealix audit` checks, counts and advises. The architecture tests use the same rules."""
