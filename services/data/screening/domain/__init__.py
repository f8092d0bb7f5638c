"""Which texts of a row, a record or a document somebody has to look at. No I/O."""
