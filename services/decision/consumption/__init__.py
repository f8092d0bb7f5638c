"""What agents use of what they may use in a day, and what trust is told of each run."""
