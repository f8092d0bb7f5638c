"""What one run or one agent did in a row: single actions may be harmless where their sequence is not."""
