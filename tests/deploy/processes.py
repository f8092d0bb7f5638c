"""Planes as processes of their own, in an environment that holds nothing of this checkout's."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def clean(**more: str) -> dict[str, str]:
    """An environment with these settings and no others of ours."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": "/nonexistent", **more}


class started:
    """A process for as long as the block lasts; SIGTERM at its end."""

    def __init__(self, command: Sequence[str], cwd: Path, environ: Mapping[str, str]) -> None:
        self._command, self._cwd, self._environ = list(command), cwd, dict(environ)

    def __enter__(self) -> subprocess.Popen[bytes]:
        self._process = subprocess.Popen(self._command, cwd=self._cwd, env=self._environ, stdout=subprocess.DEVNULL)
        return self._process

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def wait_ready(port: int, seconds: float = 60.0) -> bool:
    """Whether /readyz answers 200 within `seconds`."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            with direct.open(f"http://127.0.0.1:{port}/readyz", timeout=5):
                return True
        except (urllib.error.HTTPError, OSError):
            time.sleep(0.2)
    return False
