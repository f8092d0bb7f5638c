"""What effects left behind: receipts, claims about them, and vendors' own logs."""
