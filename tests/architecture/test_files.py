"""The shape of the code: files and functions that a person can hold in mind, reasons beside exceptions, nothing half-done."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINES = 450
FUNCTION_LINES = 90

# Longer than LINES, each for a reason.
LONG = {
    "dev/verify.py": 920,  # an auditor gets this one file: it may import nothing of ours
    "libs/contracts/trust.py": 600,  # one file of messages per owning plane
    "services/trust/store.py": 540,  # the hot path's SQL stays beside its rows
}


def sources(*packages: str) -> Iterator[Path]:
    for package in packages:
        yield from sorted((ROOT / package).rglob("*.py"))


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_no_file_outgrows_its_reader() -> None:
    long = {}
    for path in sources("libs", "services", "dev"):
        lines = path.read_text(encoding="utf-8").count("\n")
        if lines > LONG.get(name(path), LINES):
            long[name(path)] = lines
    assert long == {}


def test_no_function_outgrows_a_screen_and_a_half() -> None:
    long = {}
    for path in sources("libs", "services", "dev"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and _own_lines(node) > FUNCTION_LINES:
                long[f"{name(path)}:{node.name}"] = _own_lines(node)
    assert long == {}


def _own_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without those of the functions inside it, which are read on their own."""
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    inner = [n for n in ast.walk(node) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef) and n is not node]
    outermost = [
        n for n in inner if not any(m.lineno < n.lineno and (m.end_lineno or 0) >= (n.end_lineno or 0) for m in inner)
    ]
    return lines - sum((n.end_lineno or n.lineno) - n.lineno + 1 for n in outermost)


def test_every_module_says_what_it_is_for() -> None:
    silent = []
    for path in sources("libs", "services", "dev"):
        if path.name in ("__main__.py",) or "migrations" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        if text.strip() and ast.get_docstring(ast.parse(text)) is None:
            silent.append(name(path))
    assert silent == []


def test_nothing_is_left_half_done() -> None:
    words = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b|raise NotImplementedError")
    found = [
        f"{name(path)}:{number}"
        for path in sources("libs", "services", "dev")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if words.search(line)
    ]
    assert found == []


def test_every_exception_to_a_checker_has_its_reason_beside_it() -> None:
    silenced = re.compile(r"#\s*(noqa|type:\s*ignore)(?P<code>:\s*\w+|\[[\w, -]+\])?\s*(?P<reason>(#|-)\s*\S.*)?$")
    bare = [
        f"{name(path)}:{number}"
        for path in sources("libs", "services", "dev")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if (found := silenced.search(line)) and not (found["code"] and found["reason"])
    ]
    assert bare == []


def test_no_error_is_swallowed_in_silence() -> None:
    found = []
    for path in sources("libs", "services", "dev"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.ExceptHandler):
                continue
            broad = node.type is None or (
                isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")
            )
            if broad and all(isinstance(statement, ast.Pass) for statement in node.body):
                found.append(f"{name(path)}:{node.lineno}")
    assert found == []


def test_tests_use_fakes_that_keep_promises_and_not_patches() -> None:
    patched = re.compile(r"^\s*(from unittest(\.mock)? import|import unittest\.mock)|\bmocker\b", re.MULTILINE)
    assert [name(p) for p in sources("tests") if patched.search(p.read_text(encoding="utf-8"))] == []


def test_the_lock_names_no_registry() -> None:
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url\S*|--find-links\S*", lock) == []
    assert "--hash=sha256:" in lock
