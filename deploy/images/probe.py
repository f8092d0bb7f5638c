"""Exit code 0 when this container's plane is ready, 1 when it is not: the image's health check. Standard library only."""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

SECONDS = 5.0


def main() -> int:
    """Ask the plane's own health port (DEALIX_HEALTH_PORT)."""
    port = os.environ.get("DEALIX_HEALTH_PORT", "")
    if not port.isdigit():
        print("DEALIX_HEALTH_PORT is not set", file=sys.stderr)
        return 1
    # Loopback never goes through a proxy that the environment names.
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with direct.open(f"http://127.0.0.1:{port}/readyz", timeout=SECONDS):
            return 0
    except urllib.error.HTTPError as error:
        print(error.read().decode(errors="replace"), file=sys.stderr)
    except OSError as error:
        print(error, file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
