"""What rows, readings and evidence say about a control. No I/O."""
