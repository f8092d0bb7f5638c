"""The release to compare with: a file that an earlier release left, a commit of this checkout, or the newest tag."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from dev.architecture.tree import HERE
from dev.commands.common import BadInput, read_object
from dev.release.describe import FORM, describe

PROGRAM: Final = Path(__file__).with_name("describe.py")
NEEDED: Final = ("libs", "services")
GOLDEN: Final = "tests/contracts/golden"
PARTS: Final = ("migrations", "subjects", "messages", "policies", "permissions")
LONGEST: Final = 300.0
"""Seconds that an older tree may take to describe itself."""


class NoBase(BadInput):
    """There is nothing to compare with."""


def described_here() -> dict[str, Any]:
    """This source's release, with its commit and the time."""
    return {**describe(HERE), "commit": commit_of("HEAD"), "at": datetime.now(UTC).isoformat()}


def from_file(path: Path) -> dict[str, Any]:
    """A description that was kept. Raises BadInput for what is none."""
    found = read_object(str(path))
    if found.get("form") != FORM or not all(isinstance(found.get(part), dict) for part in PARTS):
        raise BadInput(
            f"{path} is no description of a release; make one with `dealix preflight --describe`.",
            f"{path} ليس وصف إصدار؛ أنشئه بالأمر dealix preflight --describe.",
        )
    return found


def from_commit(name: str, *, root: Path = HERE) -> dict[str, Any]:
    """The release that a commit made: its own files describe themselves, in a process and a directory of their own.

    Raises NoBase for a name that is no commit, or a commit whose files can't be imported.
    """
    commit = commit_of(name, root=root)
    if commit is None:
        raise NoBase(f"{name} names no commit of this checkout.", f"{name} لا يسمّي إيداعًا في هذا المستودع.")
    with tempfile.TemporaryDirectory(prefix="dealix-preflight-") as directory:
        for paths in (NEEDED, (GOLDEN,)):
            packed = subprocess.run(["git", "archive", commit, *paths], cwd=root, capture_output=True, check=False)
            if packed.returncode == 0:
                with tarfile.open(fileobj=io.BytesIO(packed.stdout)) as files:
                    files.extractall(directory, filter="data")
        told = subprocess.run(
            [sys.executable, str(PROGRAM), directory],
            cwd=directory, env={**os.environ, "PYTHONPATH": directory}, capture_output=True, text=True, timeout=LONGEST, check=False,
        )  # fmt: skip
    if told.returncode != 0:
        why = (told.stderr.strip().splitlines() or ["it said nothing"])[-1]
        raise NoBase(f"The files of {name} can't be described: {why}.", f"تعذّر وصف ملفات {name}: {why}.")
    return {**json.loads(told.stdout), "commit": commit}


def last_release(*, root: Path = HERE) -> str:
    """The newest tag before this commit. Raises NoBase where nothing is tagged."""
    found = _git(root, "describe", "--tags", "--abbrev=0")
    if not found:
        raise NoBase(
            "No release is tagged here; name one with --from COMMIT or --from-file release.json.",
            "لا إصدار موسوم هنا؛ حدّد الأساس بالخيار --from COMMIT أو --from-file release.json.",
        )
    return found


def commit_of(name: str, *, root: Path = HERE) -> str | None:
    return (
        None if name.startswith("-") else _git(root, "rev-parse", "--verify", "--quiet", f"{name}^{{commit}}") or None
    )


def _git(root: Path, *arguments: str) -> str:
    try:
        done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
