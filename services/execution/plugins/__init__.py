"""Plugins: what a package from outside adds to execution, and the hooks by which it looks on."""
