"""Growth of the tenant itself: the day's plan."""
