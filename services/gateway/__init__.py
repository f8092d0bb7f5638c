"""The gateway: the only HTTP surface."""
