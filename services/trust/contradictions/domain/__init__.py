"""When claims contradict one another, and what an action claims. No I/O."""
