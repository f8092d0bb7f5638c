"""What answers of the API look like in a terminal: values in, Rich tables and text out. No I/O."""
