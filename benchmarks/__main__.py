"""`python -m benchmarks [ROW …] [--quick] [--output DIRECTORY]`: measure, print a table, keep it under docs/benchmarks."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

from benchmarks.processes import machine
from benchmarks.report import Row, keep, lines

ROWS = {
    "importing": "A long list imported and ranked",
    "governed": "Governed actions a second, and what each costs",
    "books": "The ledger as it grows, and decisions replayed under another bundle",
    "fairness": "A thousand tenants, one of them loud: what the others wait",
    "replicas": "One, two and four replicas of execution on the same cores",
    "latency": "One action and one trust decision: time alone and at half load",
    "durable": "Durable flows: starts, timer wake-ups, memory while they wait",
}
"""Rows by the module that measures them: `measure(quick, progress) -> Row`, run in a fresh event loop of its own."""


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, epilog="Rows: " + ", ".join(ROWS)
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="all when none is named")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds; nothing is kept")
    parser.add_argument("--output", type=Path, default=Path("docs/benchmarks"))
    given = parser.parse_args()
    if unknown := set(given.rows) - set(ROWS):
        parser.error(f"no such row: {', '.join(sorted(unknown))}. There are {', '.join(ROWS)}.")
    for key in given.rows or ROWS:
        before = machine()
        print(f"== {key}: {ROWS[key]}", flush=True)
        row: Row = import_module(f"benchmarks.{key}").measure(given.quick, lambda text: print(f"   {text}", flush=True))
        print("\n".join(["", *lines(row)]), flush=True)
        if not given.quick:
            keep(row, before, datetime.now(UTC), given.output)
    if not given.quick:
        print(f"Kept under {given.output}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
