"""Entries of catalogues, and which of them a test knows: by name, or by a test that walks all entries of their loader."""

from __future__ import annotations

import ast
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from dev.architecture.tree import Tree, strings_in
from libs.architecture.registries import CATALOGUE, made
from libs.contracts.architecture import Check, Finding

SETTINGS: Final = frozenset({"version", "defaults", "home", "budget"})
"""Top-level keys that hold settings of a catalogue and no entries."""


@dataclass(frozen=True)
class Entry:
    """A named thing in a catalogue."""

    file: str
    name: str

    @property
    def where(self) -> str:
        return f"{CATALOGUE}/{self.file}: {self.name}"


def entries(tree: Tree) -> Iterator[Entry]:
    """Every entry: the keys below a catalogue's sections, or of the file itself where its values are entries; rows of a CSV."""
    for path in tree.below(CATALOGUE, suffix=".yaml"):
        file = path.rpartition("/")[2]
        document = tree.document(path)
        if not isinstance(document, dict):
            continue
        sections = {key: value for key, value in document.items() if key not in SETTINGS and isinstance(value, dict)}
        nested = {key: value for key, value in sections.items() if _holds_entries(value)}
        if nested:
            yield from (Entry(file, str(name)) for value in nested.values() for name in value)
        else:
            yield from (Entry(file, str(key)) for key in sections)
    for path in tree.below(CATALOGUE, suffix=".csv"):
        rows = csv.reader(io.StringIO(tree.text(path)))
        next(rows, None)
        yield from (Entry(path.rpartition("/")[2], row[0]) for row in rows if row)


def _holds_entries(value: dict[str, Any]) -> bool:
    return bool(value) and all(isinstance(one, dict) for one in value.values())


def loaders(tree: Tree) -> dict[str, set[str]]:
    """By file, the functions without arguments that load a catalogue, from the modules that name the file."""
    out: dict[str, set[str]] = {}
    files = {path.rpartition("/")[2] for suffix in (".yaml", ".csv") for path in tree.below(CATALOGUE, suffix=suffix)}
    for path in tree.below(CATALOGUE):
        own = path.rpartition("/")[2].removesuffix(".py")
        module = tree.parsed(path)
        said = set(strings_in(module))
        functions = {
            node.name for node in module.body
            if isinstance(node, ast.FunctionDef) and not node.args.args and not node.args.kwonlyargs and not node.name.startswith("_")
        }  # fmt: skip
        for file in files:
            stem = file.rpartition(".")[0]
            if stem == own or file in said or any(one.endswith(file) for one in said) or stem.startswith(f"{own}_"):
                out.setdefault(file, set()).update(functions)
    return out


def walked(tree: Tree) -> set[str]:
    """Loaders over whose entries a test goes: called in a loop, a comprehension, a `parametrize`, or compared as a whole."""
    out: set[str] = set()
    for path in tree.below("tests"):
        for node in ast.walk(tree.parsed(path)):
            if isinstance(node, ast.For | ast.comprehension):
                out |= _called(node.iter)
            elif isinstance(node, ast.Compare):
                out |= _called(node)
            elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "parametrize":
                out |= {name for argument in node.args[1:] for name in _called(argument)}
    return out


def _called(node: ast.AST) -> set[str]:
    return {
        inner.func.id if isinstance(inner.func, ast.Name) else getattr(inner.func, "attr", "")
        for inner in ast.walk(node)
        if isinstance(inner, ast.Call)
    }


def untested(tree: Tree, said: set[str]) -> tuple[int, list[Entry]]:
    """How many entries there are, and those that no test names or walks. `said` are the texts of all tests."""
    by_file, gone_over = loaders(tree), walked(tree)
    found = list(entries(tree))
    return len(found), [one for one in found if not by_file.get(one.file, set()) & gone_over and one.name not in said]


def catalogue_check(tree: Tree, said: set[str]) -> Check:
    """Every entry of a catalogue has a test."""
    looked_at, missing = untested(tree, said)
    return made(
        "catalogue_entries_tested", "Every entry of a catalogue has a test", "لكل عنصر في القوائم اختبار", looked_at,
        (Finding(where=one.where, en="No test names it or walks its catalogue.", ar="لا يسمّيه اختبار ولا يمر على قائمته.") for one in missing),
    )  # fmt: skip
