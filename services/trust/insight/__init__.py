"""What trust says about its own rows: lineage."""
