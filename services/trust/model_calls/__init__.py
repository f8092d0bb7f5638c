"""Which model may see what it would be asked: read from the catalogues, the registers and who is suspended."""
