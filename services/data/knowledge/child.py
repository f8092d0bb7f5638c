"""Reads one document in a process of its own, with limits on memory and time that a hostile file cannot talk its way out of.

`python -m services.data.knowledge.child FILE NAME` prints JSON: `{"media", "blocks"}` or `{"refused"}`.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import resource
import sys
from pathlib import Path

from services.data.knowledge.domain.extract import Block, Extracted, Refused, extract

SECONDS = 60
MEMORY = 2 * 1024**3


async def extract_apart(file: Path, name: str) -> Extracted:
    """As `extract`, in a child. Raises Refused; a child that dies of its limits means a bomb."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.data.knowledge.child", str(file), name, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        async with asyncio.timeout(SECONDS + 10):
            said, _ = await child.communicate()
    except TimeoutError as error:
        raise Refused("bomb") from error
    finally:
        if child.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            await child.wait()
    if child.returncode != 0:
        raise Refused("bomb")
    document = json.loads(said)
    if why := document.get("refused"):
        raise Refused(why)
    return Extracted(document["media"], tuple(Block(*block) for block in document["blocks"]))


def main(file: str, name: str) -> None:
    """What the child does."""
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    try:
        found = extract(Path(file).read_bytes(), name)
    except Refused as refused:
        print(json.dumps({"refused": refused.why}))
        return
    print(json.dumps({"media": found.media, "blocks": [(b.text, b.level, b.page) for b in found.blocks]}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
