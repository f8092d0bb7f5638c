"""Claims about the same subject that can't both hold: found when one is written, when an action says one, and by a sweep."""
