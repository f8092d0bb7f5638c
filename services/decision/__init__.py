"""The decision plane: it recommends, with structure, provenance and freshness; it never commits."""
