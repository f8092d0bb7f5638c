"""The proof pack: what was done about a deal or for a company, what it may bring, and what comes next."""
