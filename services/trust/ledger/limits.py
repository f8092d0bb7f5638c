"""How much one evidence pack holds. Whoever asks for more is told these figures."""

MAX_ENTRIES = 20_000
MAX_MEGABYTES = 256
