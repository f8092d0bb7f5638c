"""An earlier version of the system, to upgrade from: its own code, migrations and permissions, run beside today's."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ASSETS = Path("services/gateway/console/static/vendor")

_MIGRATE = """
import asyncio, sys
from pathlib import Path
from dev.secrets import load_or_create
from libs.runtime.migrate import migrate
asyncio.run(migrate(sys.argv[1], load_or_create(Path(sys.argv[2])).database_passwords))
"""
_STREAMS = """
import asyncio, sys
from pathlib import Path
from dev.secrets import MIGRATOR, load_or_create
from libs.runtime.migrate import ensure_streams
asyncio.run(ensure_streams(sys.argv[1], load_or_create(Path(sys.argv[2])).nats_seeds[MIGRATOR], replicas=3))
"""
_RIGHTS = """
import sys
from pathlib import Path
from dev.prepare import authorization
from dev.secrets import load_or_create
print(authorization(load_or_create(Path(sys.argv[1])).nats_public_keys()))
"""


class NoSuchRelease(Exception):
    """The version to upgrade from is not in this repository; the message says so."""


class Release:
    """A version of the code: today's when `reference` is empty, else that commit's, unpacked into `folder`."""

    def __init__(self, folder: Path, secrets: Path, reference: str = "") -> None:
        self.reference = reference
        self._folder = folder
        self._secrets = secrets

    @property
    def environ(self) -> dict[str, str]:
        """What makes a process run this version: its folder comes before what is installed."""
        return {"PYTHONPATH": str(self._folder)} if self.reference else {}

    def unpack(self) -> None:
        """Raises NoSuchRelease."""
        if not self.reference:
            return
        self._folder.mkdir()
        archive = subprocess.run(
            ["git", "-C", str(ROOT), "archive", "--format=tar", self.reference], capture_output=True, check=False
        )
        if archive.returncode != 0:
            raise NoSuchRelease(f"there is no version {self.reference} here: {archive.stderr.decode().strip()}")
        subprocess.run(["tar", "-x", "-C", str(self._folder)], input=archive.stdout, check=True)
        shutil.copytree(ROOT / ASSETS, self._folder / ASSETS, dirs_exist_ok=True)

    async def migrate(self, admin_url: str) -> None:
        await self._python(_MIGRATE, admin_url, str(self._secrets))

    async def ensure_streams(self, nats_url: str) -> None:
        await self._python(_STREAMS, nats_url, str(self._secrets))

    async def rights(self) -> str:
        """The authorization block of the NATS servers as this version declares it."""
        return await self._python(_RIGHTS, str(self._secrets))

    async def _python(self, code: str, *arguments: str) -> str:
        done = await asyncio.to_thread(
            subprocess.run, [sys.executable, "-c", code, *arguments], env={**os.environ, **self.environ}, cwd="/",
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            raise RuntimeError(f"{self.reference or 'this version'}: {done.stderr.strip()[-800:]}")
        return done.stdout
