"""The operating plane: health of the planes, control, feature flags, traces."""
