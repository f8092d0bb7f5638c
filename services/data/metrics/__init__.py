"""The metric layer: the only code that computes a metric."""
