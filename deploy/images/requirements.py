"""Prints the part of requirements.lock that one image needs, hashes and all: the plane's extra and what it brings, nothing else.

    python deploy/images/requirements.py trust > requirements.txt

The project's lock stays the only one; `uv` says which of its packages the extra leads to. Needs `uv` on the path, and standard library.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(\[[^\]]*\])?==")


def select(plane: str, uv: str = "") -> str:
    """The image's lines of the lock. Raises CalledProcessError, and LookupError when the lock lacks a package: run `make lock`."""
    extra = [] if plane == "migrator" else ["--extra", plane]
    command = [
        uv or shutil.which("uv") or "uv",
        "pip",
        "compile",
        "-q",
        "pyproject.toml",
        *extra,
        "--constraint",
        "requirements.lock",
    ]
    command += [
        "--no-annotate",
        "--no-header",
        "--no-emit-index-url",
        "--no-emit-find-links",
        "--universal",
        "--python-version",
        "3.11",
    ]
    resolved = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    wanted = {_name(line) for line in resolved.splitlines() if _PIN.match(line)}
    kept, found = [], set()
    for block in re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text(encoding="utf-8").strip()):
        if _PIN.match(block) and _name(block) in wanted:
            kept.append(block)
            found.add(_name(block))
    if missing := wanted - found:
        raise LookupError(f"requirements.lock lacks {', '.join(sorted(missing))}: run `make lock`")
    return "\n".join(kept) + "\n"


def _name(line: str) -> str:
    """The normalised name of a pinned requirement (PEP 503)."""
    match = _PIN.match(line)
    assert match is not None
    return re.sub(r"[-_.]+", "-", match[1]).lower()


if __name__ == "__main__":
    print(select(sys.argv[1]), end="")
