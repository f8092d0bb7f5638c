"""What became of contacts who were reached."""
