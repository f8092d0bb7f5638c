"""What was seen and said, and what follows for a gate and for the launch. No I/O."""
