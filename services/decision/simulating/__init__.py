"""What could come: scenarios by chance, and what an investment brings back."""
