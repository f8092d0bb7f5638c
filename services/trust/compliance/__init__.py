"""The compliance matrix: controls looked at over real rows, evidence handed in, and what their failures stop."""
