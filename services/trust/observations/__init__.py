"""What other planes, and trust itself, have told about themselves, their people and what they did."""
