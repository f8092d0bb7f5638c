"""Service level objectives: what planes count is kept, and each objective judged by it."""
