"""Finding what is the same: keys stored beside records, the review queue, merges and their undoing."""
