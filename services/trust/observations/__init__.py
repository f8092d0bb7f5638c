"""What other planes, and trust itself, have told about themselves and their people."""
