"""How the list is made, without I/O."""
