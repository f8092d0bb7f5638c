"""Rules of approvals, without I/O."""
