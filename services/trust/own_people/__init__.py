"""The tenant's own people as recipients: their verified numbers, by keyed hash, and the hours in which they want to be written to."""
