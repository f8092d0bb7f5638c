"""What outreach taught, without I/O."""
