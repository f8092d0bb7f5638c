"""People's rights: requests with their clock, erasure across planes, and the registers a controller keeps."""
