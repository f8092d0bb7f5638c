"""What an export says, without I/O beyond the file itself."""
