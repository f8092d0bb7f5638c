"""A plane whose clock can be moved while it runs: `python -m tests.chaos.clocked PLANE FILE`.

The seconds in FILE are added to what the plane takes for now, by the two clocks that its composition root hands on: the runtime's, and the
gate's. Everything else is the plane as it is.
"""

from __future__ import annotations

import sys
import threading
import time
from datetime import datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

from libs.contracts.message import Plane
from libs.runtime.plane import Runtime, run, utc_now

LOOK_SECONDS = 0.1


class MovedClock:
    """Now, and so many seconds more."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._seconds = 0.0

    def follow(self) -> None:
        while True:
            try:
                self._seconds = float(self._file.read_text())
            except (OSError, ValueError):
                self._seconds = 0.0
            time.sleep(LOOK_SECONDS)

    def now(self) -> datetime:
        return utc_now() + timedelta(seconds=self._seconds)

    def unix(self) -> float:
        return time.time() + self._seconds


def main() -> None:
    plane, clock = Plane(sys.argv[1]), MovedClock(Path(sys.argv[2]))
    app = import_module(f"services.{plane.value}.app")
    if plane is Plane.EXECUTION:
        app.serve.__kwdefaults__["clock"] = clock.unix

    async def build(runtime: Runtime) -> Any:
        # Only now: what comes before compares the clocks, and refuses to start with one that is off.
        threading.Thread(target=clock.follow, daemon=True).start()
        runtime.now = clock.now
        return await app.build(runtime)

    run((plane, build))


if __name__ == "__main__":
    main()
