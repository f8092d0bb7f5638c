"""Knowledge and memory: documents in pieces with their sources, hybrid search, what is remembered of a subject."""
