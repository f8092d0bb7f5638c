"""A source tree to be audited: its files, their text and their syntax, read once. Nothing in it is imported or run."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache, cached_property
from pathlib import Path
from typing import Any, Final

import yaml

from dev.messages import DealixError

HERE: Final = Path(__file__).resolve().parents[2]
_SKIPPED: Final = frozenset({".venv", ".git", "__pycache__", "node_modules", "build", "dist", "vendor"})


class NotASource(DealixError):
    """The directory is no source tree of Dealix."""

    exit_code = 2


class Tree:
    """One source tree. Paths are relative and have forward slashes."""

    def __init__(self, root: Path = HERE) -> None:
        self.root = root
        self._texts: dict[str, str] = {}
        self._parsed: dict[str, ast.Module] = {}

    def require(self) -> Tree:
        """Raises NotASource where there is nothing to audit: an installed package has neither tests nor documents."""
        if not all((self.root / folder).is_dir() for folder in ("libs/contracts", "services", "tests")):
            raise NotASource(
                f"{self.root} is no source tree of Dealix; run this in a checkout, or name one with --root.",
                f"{self.root} ليس شجرة مصدر Dealix. نفّذ الأمر داخل نسخة من المصدر أو حدّدها بالخيار --root.",
            )
        return self

    @cached_property
    def tracked(self) -> tuple[str, ...] | None:
        """What is checked in; None where the tree is no checkout."""
        listed = self._git("ls-files", "-z")
        return None if listed is None else tuple(sorted(filter(None, listed.split("\0"))))

    @cached_property
    def files(self) -> tuple[str, ...]:
        """Every file of the source, checked in or about to be; build results and installed things are none."""
        listed = self._git("ls-files", "-z", "--cached", "--others", "--exclude-standard")
        if listed is not None:
            return tuple(sorted(name for name in filter(None, listed.split("\0")) if (self.root / name).is_file()))
        found = (path for path in self.root.rglob("*") if path.is_file())
        names = (path.relative_to(self.root) for path in found)
        return tuple(sorted(name.as_posix() for name in names if not _SKIPPED & set(name.parts)))

    @cached_property
    def commit(self) -> str | None:
        head = self._git("rev-parse", "HEAD")
        return head.strip() if head else None

    def below(self, *folders: str, suffix: str = ".py") -> Iterator[str]:
        """Files of folders, by the end of their names."""
        wanted = tuple(f"{folder}/" for folder in folders)
        return (name for name in self.files if name.startswith(wanted) and name.endswith(suffix))

    def has(self, path: str) -> bool:
        return (self.root / path).exists()

    def text(self, path: str) -> str:
        """A file's text, empty where there is none; what is not text comes as replacement characters."""
        if path not in self._texts:
            file = self.root / path
            self._texts[path] = file.read_text(encoding="utf-8", errors="replace") if file.is_file() else ""
        return self._texts[path]

    def parsed(self, path: str) -> ast.Module:
        if path not in self._parsed:
            self._parsed[path] = ast.parse(self.text(path))
        return self._parsed[path]

    def document(self, path: str) -> Any:
        """A YAML file as it is written; an empty mapping where there is none."""
        return yaml.safe_load(self.text(path)) or {}

    def catalogue(self, name: str) -> Any:
        return self.document(f"libs/contracts/catalogue/{name}")

    def _git(self, *arguments: str) -> str | None:
        if not (self.root / ".git").exists():
            return None
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True, check=False)
        return done.stdout if done.returncode == 0 else None


@cache
def here() -> Tree:
    """The tree that this program is part of, read once a process."""
    return Tree(HERE)


def names_in(tree: ast.AST) -> set[str]:
    """Every name and attribute that is read in a piece of source, and every name that it imports."""
    out: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            out.add(node.id)
        elif isinstance(node, ast.Attribute):
            out.add(node.attr)
        elif isinstance(node, ast.ImportFrom):
            out |= {alias.name for alias in node.names}
    return out


def imported_by(tree: ast.AST) -> set[str]:
    """Every module that a piece of source names in an import."""
    out: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            out |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return out


def strings_in(tree: ast.AST) -> Iterator[str]:
    """Every text of a piece of source; of one with gaps, its parts with `*` for each gap."""
    inner = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "*" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in inner:
            yield node.value
