"""What decision says about its own output: lineage."""
