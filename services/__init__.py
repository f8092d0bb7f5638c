"""The planes and the gateway; each is its own deployable and none imports another."""
