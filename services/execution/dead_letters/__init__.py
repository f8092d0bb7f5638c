"""Actions that ended without their effect and wait for a person."""
