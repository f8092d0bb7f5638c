"""Growth of the tenant itself: the day's plan, experiments, and what each week taught."""
