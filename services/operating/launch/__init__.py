"""Going live: the matrix of gates, people's word on them, and whether a connector may be switched."""
