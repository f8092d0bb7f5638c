"""What planes share: `contracts` (words) and `runtime` (plumbing)."""
