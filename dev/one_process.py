"""All planes in one event loop (`dealix up --one-process`), each with its own credentials, schema role and bus connection."""

from __future__ import annotations

from importlib import import_module

from libs.contracts.message import Plane
from libs.runtime.plane import run

# The gateway last: planes stop in reverse, and nothing new may enter while the others finish.
ORDER = (Plane.TRUST, Plane.EXECUTION, Plane.DATA, Plane.DECISION, Plane.OPERATING, Plane.GATEWAY)


def main() -> None:
    """Run until SIGTERM or Ctrl-C. The ready file is written once all planes serve."""
    run(*((plane, import_module(f"services.{plane.value}.app").build) for plane in ORDER))


if __name__ == "__main__":
    main()
