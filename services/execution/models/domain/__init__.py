"""Rules of asking models as plain values. No I/O."""
