"""The arithmetic of scenarios and returns. Pure; chance comes from a seed."""
