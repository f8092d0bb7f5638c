"""Facts from permitted sources about records that are there already."""
