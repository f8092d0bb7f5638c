"""Trust scores: what the rows on record say of an agent, a connector, a source or a contact. They lower what may be done, never widen it."""
