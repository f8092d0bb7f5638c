"""How an outcome splits between touchpoints. Pure."""
