"""What targeting, cards and agents have in common: text in two languages, untrusted input, provenance."""
