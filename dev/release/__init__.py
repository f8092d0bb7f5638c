"""What a release consists of, and what a deploy of it would change: `dealix preflight`."""
