"""Rewrite the golden bytes, on purpose: `python -m tests.contracts.regenerate`.

A changed golden file is a changed wire: look at the difference before it is committed.
"""

from __future__ import annotations

import json
import sys

from tests.contracts.examples import example, wire_messages
from tests.contracts.golden_files import FOLDER, golden_grant, path_of


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    wanted = {}
    for name, kind in wire_messages():
        wanted[path_of(name)] = example(kind).model_dump_json(indent=1).encode() + b"\n"
    wanted[FOLDER / "grant.json"] = json.dumps(golden_grant(), indent=1, ensure_ascii=False).encode() + b"\n"
    changed = [path for path, body in wanted.items() if not path.exists() or path.read_bytes() != body]
    gone = sorted(set(FOLDER.glob("*.json")) - set(wanted))
    for path in changed:
        path.write_bytes(wanted[path])
    for path in gone:
        path.unlink()
    for word, paths in (("wrote", changed), ("removed", gone)):
        for path in paths:
            sys.stdout.write(f"{word} {path.name}\n")


if __name__ == "__main__":
    main()
