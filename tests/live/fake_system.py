"""The real command line and supervisor over fake planes: `python fake_system.py up --data-dir … --port …`."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg

from dev.cli import build_app
from dev.commands.system import Parts
from dev.environment import ONE_PROCESS
from dev.messages import Sentence
from dev.secrets import PLANES
from dev.supervisor import Prepared

FAKE_PLANE = Path(__file__).with_name("fake_plane.py")


def commands(one_process: bool) -> Mapping[str, Sequence[str]]:
    names = (ONE_PROCESS,) if one_process else PLANES
    return {name: [sys.executable, str(FAKE_PLANE), name] for name in names}


def authorization(public_keys: Mapping[str, str]) -> str:
    users = ", ".join(f"{{nkey: {key}}}" for key in public_keys.values())
    return f"authorization {{ users: [{users}] }}"


async def prepare(prepared: Prepared) -> Sequence[Sentence]:
    connection = await asyncpg.connect(prepared.admin_url)
    try:
        await connection.execute("create table if not exists starts (at timestamptz default now())")
        await connection.execute("insert into starts default values")
    finally:
        await connection.close()
    return [Sentence("The owner's password is shown once.", "تُعرض كلمة مرور المالك مرة واحدة.")]


if __name__ == "__main__":
    build_app(Parts(commands, authorization, prepare))()
