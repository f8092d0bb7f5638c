"""Trust: policy, approvals, grants, consent, ledger. Holds the signing keys; executes no business work."""
