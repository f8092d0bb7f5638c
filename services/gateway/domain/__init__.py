"""The gateway's rules: who somebody is, and what a request proves."""
