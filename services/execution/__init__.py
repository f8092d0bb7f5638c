"""Execution: commitments. Nothing here acts on an unstructured instruction, or without a grant."""
