"""What comes after an effect: undoing it, and settling an outcome that nobody knows."""
