"""The import rules hold, and the rules would notice if they did not."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, packages_distributions, requires
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from libs.contracts.message import Plane

ROOT = Path(__file__).resolve().parents[2]
LINTER = Path(sys.executable).with_name("lint-imports")

PLANTED = {
    "A plane never imports another plane": ("services/execution/planted.py", "import services.trust.domain"),
    "What planes share knows no plane and no development tool": ("libs/runtime/planted.py", "import services.data"),
    "A plane runs without the development tools": ("services/trust/planted.py", "from dev import secrets"),
    "Contracts know no plumbing and do no I/O": ("libs/contracts/planted.py", "import libs.runtime.bus"),
    "Domain rooms hold rules, not I/O": ("services/operating/domain/planted.py", "import asyncpg"),
}


def lint(directory: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LINTER, "--no-cache", "--no-logo"], cwd=directory, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_import_rules_hold() -> None:
    outcome = lint(ROOT)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_every_import_rule_notices_a_planted_violation(tmp_path: Path) -> None:
    for package in ("libs", "services", "dev"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=_all_but_python)
    shutil.copy(ROOT / ".importlinter", tmp_path)
    for path, line in PLANTED.values():
        (tmp_path / path).write_text(f"{line}\n", encoding="utf-8")
    nested = tmp_path / "services/trust/ledger/domain/planted.py"
    nested.write_text("import sqlalchemy\n", encoding="utf-8")
    outcome = lint(tmp_path)
    assert outcome.returncode != 0
    said = re.sub(r"\s+", " ", outcome.stdout)
    for rule in PLANTED:
        assert f"{rule} BROKEN" in said
    assert "services.trust.ledger.domain.planted" in said


def _all_but_python(directory: str, names: list[str]) -> set[str]:
    return {name for name in names if not (name.endswith(".py") or (Path(directory) / name).is_dir())}


def _imported(directory: Path) -> set[str]:
    """Top-level names of everything that is imported below `directory`."""
    out: set[str] = set()
    for path in directory.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                out |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
                out.add(node.module.split(".")[0])
    return out - set(sys.stdlib_module_names) - {"libs", "services", "dev"}


def _project() -> dict[str, Any]:
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return project


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _installed(extra: str | None) -> set[str]:
    """Distributions that installing the project, with one extra, brings along; those of other platforms included."""
    project = _project()
    waiting = [Requirement(each) for each in project["dependencies"]]
    if extra is not None:
        waiting += [Requirement(each) for each in project["optional-dependencies"][extra]]
    seen: set[tuple[str, str]] = set()
    while waiting:
        requirement = waiting.pop()
        name = _normal(requirement.name)
        for part in ("", *requirement.extras):
            if (name, part) in seen:
                continue
            seen.add((name, part))
            try:
                further = [Requirement(each) for each in requires(name) or ()]
            except PackageNotFoundError:
                continue
            waiting += [each for each in further if each.marker is None or each.marker.evaluate({"extra": part})]
    return {name for name, _ in seen}


@pytest.mark.parametrize("plane", list(Plane))
def test_a_plane_imports_only_what_its_own_extra_installs(plane: Plane) -> None:
    """Its image holds libs/, its own folder and its own extra: anything else would fail there, and only there."""
    assert _uninstalled(ROOT / "services" / plane.value, _installed(plane.value)) == set()


def test_what_planes_share_imports_only_what_every_plane_installs() -> None:
    assert _uninstalled(ROOT / "libs", _installed(None)) == set()


def _uninstalled(directory: Path, installed: set[str]) -> set[str]:
    distributions = packages_distributions()
    return {
        module
        for module in _imported(directory)
        if not {_normal(name) for name in distributions.get(module, [module])} & installed
    }


def test_a_plane_that_imported_another_planes_library_would_be_noticed() -> None:
    assert "cedarpy" in _uninstalled(ROOT / "services" / "trust", _installed("operating"))


def test_no_rule_of_a_domain_reads_the_clock_itself() -> None:
    clocks = {("datetime", "now"), ("datetime", "utcnow"), ("date", "today"), ("time", "time"), ("time", "monotonic")}
    found = []
    for path in (ROOT / "services").rglob("domain/**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and (_last_name(node.value), node.attr) in clocks:
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert found == []


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""
