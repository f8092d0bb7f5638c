"""Claims that were read in texts: suggested, and a person's claims once confirmed."""
