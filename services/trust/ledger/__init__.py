"""The append-only log: one Merkle tree per tenant and one for the platform, signed checkpoints, proofs, evidence packs."""
