"""How well a partner fits, without I/O."""
