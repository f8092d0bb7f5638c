"""What data says about itself: lineage and quality."""
