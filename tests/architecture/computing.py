"""Finds second definitions of metrics: whatever aggregates a metric's own rows by what makes them that metric's, outside the dictionary.

What to look for is read from the dictionary, so that a new metric is guarded the day it is written: the tables its rows are of, and its
marks, which are the figures it computes with (columns, and differences of two moments) and the values it tells rows apart by.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from libs.contracts.catalogue.metrics import FILE, MetricRule, metrics
from libs.contracts.message import Plane

ROOT = Path(__file__).parents[2]
SEARCHED = ("libs", "services", "dev")
_PLANES = "|".join(plane.value for plane in Plane)
_TABLE = re.compile(rf"\b(?:{_PLANES})\.([a-z_]+)\b")
_AGGREGATE = re.compile(r"\b(?:sum|avg|count|percentile_cont|percentile_disc|stddev|bool_or|bool_and)\s*\(", re.I)
_DIFFERENCE = re.compile(
    r"(?:\b\w+\.)?\b(\w+_at|\w+_on|since|seen_at)\b\)?\s*-\s*(?:greatest\(|least\()?(?:\w+\.)?(\w+_at|\w+_on|since)\b"
)
_FIGURE = re.compile(r"(?<![\w'(>:])\b([a-z_]+) as x\b")
_KEY = re.compile(r"->>'([a-z_]+)'\)?(?:::numeric)?(?: - [^,]*?)? as (?:x|whole)\b")
_COMMON = frozenset({"rows"})
"""Figures whose name says nothing by itself in Python."""
_ADDING = frozenset({"sum", "fsum", "mean", "fmean", "median", "average", "quantiles"})
_NO_FIGURE = frozenset({"null", "numeric", "int", "end"})
_CHOSEN = re.compile(r"\b(?:\w+\.)?([a-z_]+)\s*(?:=|<>|in)\s*\(?\s*((?:'[a-z_]+'(?:\s*,\s*)?)+)", re.I)
_DROPPED = ("kind",)


@dataclass(frozen=True)
class Marks:
    """What makes a metric: its tables, its figures, the differences of moments it takes, the values it chooses rows by."""

    name: str
    tables: frozenset[str]
    figures: frozenset[str]
    differences: frozenset[tuple[str, str]]
    values: frozenset[tuple[str, str]]
    function: str

    def in_sql(self, text: str) -> bool:
        """Whether SQL aggregates this metric's rows by its strongest mark: a difference, a figure, chosen values, or all of its tables by the
        metric's own function."""
        if not _AGGREGATE.search(text) or not self._reads(text):
            return False
        if self.differences:
            return bool(self.differences & set(differences(text)))
        if self.figures:
            return any(
                re.search(rf"\b(?:sum|avg|percentile_\w+)\s*\([^;]*?\b{one}\b", text, re.I) for one in self.figures
            )
        if self.values:
            return bool(self.values & set(chosen(text)))
        return self._reads(text, whole=True) and re.search(rf"\b{self.function}\s*\(", text, re.I) is not None

    def _reads(self, text: str, *, whole: bool = False) -> bool:
        enough = all if whole else any
        return enough(re.search(rf"\b(?:from|join)\s+(?:(?:{_PLANES})\.)?{one}\b", text, re.I) for one in self.tables)


def differences(text: str) -> Iterator[tuple[str, str]]:
    yield from ((one[1].lower(), one[2].lower()) for one in _DIFFERENCE.finditer(text))


def chosen(text: str) -> Iterator[tuple[str, str]]:
    """Column and value of every comparison with a word."""
    for one in _CHOSEN.finditer(text):
        for value in re.findall(r"'([a-z_]+)'", one[2]):
            if one[1].lower() not in _DROPPED:
                yield one[1].lower(), value


def marks_of(rule: MetricRule) -> Marks:
    text = rule.rows + " " + rule.value
    return Marks(
        rule.name, frozenset(_TABLE.findall(rule.rows)), frozenset((*_FIGURE.findall(rule.rows), *_KEY.findall(rule.rows))) - _NO_FIGURE,
        frozenset(differences(text)), frozenset(chosen(rule.rows)), (re.search(r"[a-z_]+(?=\()", rule.value) or ["count"])[0],
    )  # fmt: skip


@cache
def all_marks() -> tuple[Marks, ...]:
    return tuple(marks_of(rule) for rule in metrics().values())


def computed_by(text: str) -> tuple[str, ...]:
    """The metrics that a statement computes."""
    if not _AGGREGATE.search(text) or not re.search(r"\bfrom\b", text, re.I):
        return ()
    return tuple(one.name for one in all_marks() if one.in_sql(text))


def texts(path: Path) -> Iterator[str]:
    """Every text of a file that could be a statement: strings of Python with what they are put together from, scalars of YAML, SQL."""
    source = path.read_text(encoding="utf-8")
    if path.suffix in (".yaml", ".yml"):
        yield from _scalars(yaml.safe_load(source))
        return
    if path.suffix != ".py":
        yield from source.split(";")
        return
    tree = ast.parse(source)
    named = {
        target.id: _text(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant | ast.JoinedStr | ast.BinOp) and (text := _text(node, named)):
            yield text


def _scalars(document: Any) -> Iterator[str]:
    if isinstance(document, str):
        yield document
    elif isinstance(document, dict | list):
        for inner in document.values() if isinstance(document, dict) else document:
            yield from _scalars(inner)


def _text(node: ast.AST, named: dict[str, str] | None = None) -> str:
    """A string as it is put together, names of the same file filled in."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        return "".join(_text(part, named) for part in node.values)
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, named)
    if isinstance(node, ast.Name):
        return (named or {}).get(node.id, " ")
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _text(node.left, named) + _text(node.right, named)
    return " "


def in_python(source: str) -> Iterator[tuple[int, str]]:
    """Where Python adds up or averages a metric's figure, or the difference of two moments that a metric takes."""
    figures = {figure for one in all_marks() for figure in one.figures} - _COMMON
    pairs = {pair for one in all_marks() for pair in one.differences}
    for node in ast.walk(ast.parse(source)):
        added: list[ast.AST] = []
        if isinstance(node, ast.Call) and _last(node.func) in _ADDING:
            added = list(node.args)
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add):
            added = [node.value]
        inside = [inner for one in added for inner in ast.walk(one)]
        taken = {
            (_last(inner.left), _last(inner.right))
            for inner in inside
            if isinstance(inner, ast.BinOp) and isinstance(inner.op, ast.Sub)
        }
        words = sorted(figures & set(_read(inside))) + [f"{a} - {b}" for a, b in sorted(pairs & taken)]
        yield from ((getattr(node, "lineno", 0), word) for word in words)


def _read(nodes: list[ast.AST]) -> Iterator[str]:
    """Attributes and keys that are read."""
    for node in nodes:
        if isinstance(node, ast.Attribute):
            yield node.attr
        elif (
            isinstance(node, ast.Subscript)
            and isinstance(node.slice, ast.Constant)
            and isinstance(node.slice.value, str)
        ):
            yield node.slice.value


def _last(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute):
        return node.attr
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        return str(node.slice.value)
    return node.id if isinstance(node, ast.Name) else ""


def files() -> Iterator[Path]:
    for folder in SEARCHED:
        for suffix in ("py", "yaml", "yml", "sql", "csv"):
            for path in sorted((ROOT / folder).rglob(f"*.{suffix}")):
                if path != FILE and "migrations" not in path.parts and "vendor" not in path.parts:
                    yield path
