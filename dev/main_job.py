"""`make run`: start the system, run the main job on the example file, leave the console up until Ctrl-C.

    python -m dev.main_job [--file FILE] [--source SOURCE] [--port PORT] [--once]

`--once` stops the system after the job, for machines on which nobody presses Ctrl-C.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parent.parent / "examples" / "leads.csv"


def main() -> int:
    """Returns the exit code: that of the first step that failed, else 0."""
    parser = argparse.ArgumentParser(prog="python -m dev.main_job", description=__doc__)
    parser.add_argument("--file", type=Path, default=EXAMPLE)
    parser.add_argument("--source", default="own_crm")
    parser.add_argument("--port", default=None)
    parser.add_argument("--once", action="store_true")
    given = parser.parse_args()
    # From here on Ctrl-C means: stop everything. Children that it reaches end by themselves.

    def ask(_number: int, _frame: object) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, ask)
    try:
        code = _dealix("up", "--detach", *(["--port", given.port] if given.port else []))
        if code:
            return code
        code = _dealix("run", str(given.file), "--source", given.source)
        if not given.once:
            print("\nThe console stays up. Ctrl-C stops it.  ·  تبقى الواجهة تعمل، و Ctrl-C يوقفها.", flush=True)
            signal.pause()
        return code
    except KeyboardInterrupt:
        return 0
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        _dealix("down")


def _dealix(*arguments: str) -> int:
    return subprocess.run([sys.executable, "-m", "dev.cli", *arguments], check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
