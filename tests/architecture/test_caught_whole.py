"""Whatever is caught whole says why: what is swallowed without a word is lost."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WHOLE = frozenset({"Exception", "BaseException"})


def caught(source: str) -> Iterator[tuple[int, list[str]]]:
    """Each place that catches everything: its line, and its lines up to the first thing that it does."""
    lines = source.splitlines()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ExceptHandler):
            names = {one.id for one in ast.walk(node.type) if isinstance(one, ast.Name)} if node.type else set(WHOLE)
            if names & WHOLE:
                yield node.lineno, lines[node.lineno - 1 : node.body[0].lineno - 1] or [lines[node.lineno - 1]]


def unexplained(source: str) -> list[int]:
    return [at for at, said in caught(source) if not any("# " in line for line in said)]


def test_the_search_finds_what_says_nothing_and_passes_what_does() -> None:
    assert unexplained("try:\n    f()\nexcept Exception:\n    pass\n") == [3]
    assert unexplained("try:\n    f()\nexcept:\n    pass\n") == [3]
    assert unexplained("try:\n    f()\nexcept (OSError, BaseException):\n    pass\n") == [3]
    assert unexplained("try:\n    f()\nexcept Exception:  # another's code may raise anything\n    pass\n") == []
    assert unexplained("try:\n    f()\nexcept Exception:\n    # another's code may raise anything\n    pass\n") == []
    assert unexplained("try:\n    f()\nexcept ValueError:\n    pass\n") == []


def test_everything_that_is_caught_whole_says_why() -> None:
    silent = [
        f"{file.relative_to(ROOT)}:{at}"
        for folder in ("libs", "services", "dev")
        for file in sorted((ROOT / folder).rglob("*.py"))
        for at in unexplained(file.read_text(encoding="utf-8"))
    ]
    assert silent == []
