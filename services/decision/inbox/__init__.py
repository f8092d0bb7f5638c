"""What waits for one person, in one list."""
