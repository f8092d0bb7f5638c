"""Lays out what one image holds: `libs/`, one plane, and the program that starts it. Standard library only: it runs inside the build.

    python deploy/images/assemble.py trust /opt/dealix/app

`migrator` gets every plane's migrations and the modules that they import, and no plane's handlers.
"""

from __future__ import annotations

import ast
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PLANES = ("decision", "execution", "trust", "data", "operating", "gateway")
MIGRATOR = "migrator"
_LEAVE = shutil.ignore_patterns("__pycache__", "*.pyc", ".DS_Store")


def assemble(plane: str, target: Path) -> None:
    """Fill `target`, which must not exist. Raises ValueError for a name that is no image."""
    if plane not in (*PLANES, MIGRATOR):
        raise ValueError(f"{plane} is no image; there are {', '.join((*PLANES, MIGRATOR))}")
    shutil.copytree(ROOT / "libs", target / "libs", ignore=_LEAVE)
    (target / "services").mkdir()
    shutil.copy(ROOT / "services" / "__init__.py", target / "services")
    if plane == MIGRATOR:
        for other in PLANES:
            _copy_migrations(other, target)
    else:
        shutil.copytree(ROOT / "services" / plane, target / "services" / plane, ignore=_LEAVE)
    shutil.copy(Path(__file__).with_name("probe.py"), target)
    module = "libs.runtime.migrator" if plane == MIGRATOR else f"services.{plane}"
    (target / "main.py").write_text(
        f'"""Starts the {plane}."""\n\nimport runpy\n\nif __name__ == "__main__":\n'
        f'    runpy.run_module("{module}", run_name="__main__", alter_sys=True)\n',
        encoding="utf-8",
    )


def _copy_migrations(plane: str, target: Path) -> None:
    source = ROOT / "services" / plane
    shutil.copytree(source / "migrations", target / "services" / plane / "migrations", ignore=_LEAVE)
    shutil.copy(source / "__init__.py", target / "services" / plane)
    waiting = list((source / "migrations").rglob("*.py"))
    while waiting:
        for module in _imported(waiting.pop()):
            path = ROOT.joinpath(*module.split("."))
            file = path.with_suffix(".py") if path.with_suffix(".py").exists() else path / "__init__.py"
            if (
                module.startswith(f"services.{plane}.")
                and file.exists()
                and not (target / file.relative_to(ROOT)).exists()
            ):
                _copy_with_packages(file, target)
                waiting.append(file)


def _copy_with_packages(file: Path, target: Path) -> None:
    """A module, the data beside it that bears its name, and the packages above it."""
    beside = [other for other in file.parent.glob(f"{file.stem}.*") if other.suffix in (".sql", ".yaml")]
    packages = [
        parent / "__init__.py" for parent in file.parents if (parent / "__init__.py").exists() and parent != ROOT
    ]
    for each in (file, *beside, *packages):
        there = target / each.relative_to(ROOT)
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(each, there)


def _imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


if __name__ == "__main__":
    assemble(sys.argv[1], Path(sys.argv[2]))
