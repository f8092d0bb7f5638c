"""What Dealix costs, measured beside a floor and a peer in the same run on the same machine. `python -m benchmarks --help`."""
