"""A backup is the whole system: restored into an empty directory it starts, answers, and its ledger proves what it proved before."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from dev.directory import any_free_port
from dev.postgres import EmbeddedPostgres

ROOT = Path(__file__).parents[2]
PASSPHRASE = "seven quiet camels at noon"

pytestmark = [pytest.mark.live, pytest.mark.timeout(300)]


class Installation:
    """A data directory, and the command line on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def runs(self, *arguments: str, code: int = 0, passphrase: str = PASSPHRASE) -> str:
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("DEALIX_", "LC_", "LANG"))}
        done = subprocess.run(
            [sys.executable, "-m", "dev.cli", *arguments],
            env={
                **clean,
                "PYTHONPATH": str(ROOT),
                "DEALIX_DATA_DIR": str(self.folder),
                "DEALIX_BACKUP_PASSPHRASE": passphrase,
            },
            cwd=self.folder.parent,
            capture_output=True,
            text=True,
            timeout=200,
            check=False,
        )
        assert done.returncode == code, f"{arguments} ended with {done.returncode}: {done.stdout}{done.stderr}"
        return done.stdout + done.stderr

    def asks(self, *arguments: str) -> Any:
        return json.loads(self.runs(*arguments, "--json"))


def test_a_system_comes_back_from_its_backup_and_proves_what_it_proved(tmp_path: Path) -> None:
    first, second = Installation(tmp_path / "first"), Installation(tmp_path / "second")
    first.asks("up", "--detach", "--port", str(any_free_port()))
    file = tmp_path / "whole.backup"
    try:
        assert first.asks("smoke")["ok"] is True
        actions = first.asks("actions", "list")["items"]
        first.runs(
            "evidence", "export", "--scope", f"action:{actions[0]['action_id']}", "-o", str(tmp_path / "pack.zip")
        )
        # While it runs: nobody has to stop working for it.
        made = first.asks("backup", "-o", str(file))
        assert made["leaves"] > 10
        assert made["rows"] > 100
        assert first.asks("status")["state"] == "ready"
    finally:
        first.runs("down")
    content = file.read_bytes()
    assert b"PGDMP" not in content, "nothing in it can be read without the passphrase"
    assert oct(file.stat().st_mode & 0o777) == "0o600"

    restored = second.asks("restore", str(file))
    assert restored["rows"] == made["rows"]
    assert restored["digest"] == made["files"]["database.dump"]["sha256"]
    assert restored["ledger"]["leaves"] == made["leaves"]
    assert restored["ledger"]["checkpoints"] >= 2
    second.asks("up", "--detach", "--port", str(any_free_port()))
    try:
        assert [a["action_id"] for a in second.asks("actions", "list")["items"]] == [a["action_id"] for a in actions]
        second.runs("trust-root", "-o", str(tmp_path / "jwks.json"))
        second.runs("verify", str(tmp_path / "pack.zip"), "--trust-root", str(tmp_path / "jwks.json"))
        assert second.asks("smoke")["ok"] is True, "the restored system works on"
        kinds = [(one["kind"], one["digest"]) for one in second.asks("recoveries")["items"]]
        assert kinds == [("restore_test", restored["digest"])], "the backup was of a moment before it was on record"
    finally:
        second.runs("down")

    _refusals(tmp_path, file, second)
    _tampered(tmp_path, second)


def _refusals(tmp_path: Path, file: Path, taken: Installation) -> None:
    """What can't be restored leaves nothing behind and says why."""
    third = Installation(tmp_path / "third")
    assert "passphrase is another one" in third.runs(
        "restore", str(file), code=1, passphrase="six quiet camels at noon"
    )
    assert "at least 12 characters" in third.runs("restore", str(file), code=2, passphrase="short")
    content = bytearray(file.read_bytes())
    (tmp_path / "cut.backup").write_bytes(content[: len(content) - 5000])
    assert "cut off or damaged" in third.runs("restore", str(tmp_path / "cut.backup"), code=1)
    content[len(content) // 2] ^= 1
    (tmp_path / "flipped.backup").write_bytes(content)
    assert "damaged" in third.runs("restore", str(tmp_path / "flipped.backup"), code=1)
    (tmp_path / "foreign.backup").write_bytes(b"PK\3\4" + bytes(100))
    assert "no backup of Dealix" in third.runs("restore", str(tmp_path / "foreign.backup"), code=1)
    assert not third.folder.exists()
    assert "already holds a system" in taken.runs("restore", str(file), code=1)
    assert "already exists" in taken.runs("backup", "-o", str(file), code=2)
    assert "no system in" in third.runs("backup", "-o", str(tmp_path / "none.backup"), code=1)
    assert not (tmp_path / "none.backup").exists()


def _tampered(tmp_path: Path, system: Installation) -> None:
    """A row changed behind the ledger's back is found when the backup is restored, and nothing is left of the attempt."""

    async def change() -> None:
        server = EmbeddedPostgres(system.folder)
        await server.start()
        try:
            connection = await asyncpg.connect(server.admin_url)
            await connection.execute(
                "update trust.ledger_entries set body = body || ' '::bytea where entry_id = (select min(entry_id::text)::uuid from"
                " trust.ledger_entries where body is not null)"
            )
            await connection.close()
        finally:
            await server.stop()

    asyncio.run(change())
    system.runs("backup", "-o", str(tmp_path / "tampered.backup"))
    fourth = Installation(tmp_path / "fourth")
    assert "is not the one that was recorded" in fourth.runs("restore", str(tmp_path / "tampered.backup"), code=1)
    assert not fourth.folder.exists()
