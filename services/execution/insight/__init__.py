"""What execution says about its own rows: lineage."""
