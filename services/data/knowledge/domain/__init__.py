"""Rules of reading documents."""
