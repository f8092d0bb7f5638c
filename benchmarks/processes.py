"""Processes of a benchmark and the CPU time they use, read from /proc."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from dev.processes import Child, spawn

TICKS = os.sysconf("SC_CLK_TCK")


async def start_module(name: str, *arguments: str, environ: Mapping[str, str], data_dir: Path, ready: Path) -> Child:
    """Run `python -m name` and wait until it has written its ready file.

    Raises RuntimeError with the end of its log when it ends before that.
    """
    ready.unlink(missing_ok=True)
    log = data_dir / "logs" / f"{name}-{'-'.join(arguments) or 'main'}.log".replace("/", "_")
    log.parent.mkdir(exist_ok=True)
    with log.open("ab") as output:
        child = spawn([sys.executable, "-m", name, *arguments], owner=data_dir, environ=environ, output=output)
    while not ready.exists():
        if child.exit_code is not None:
            raise RuntimeError(f"{name} ended with {child.exit_code}: {log.read_text()[-2000:]}")
        await asyncio.sleep(0.02)
    return child


def show_logs(data_dir: Path) -> None:
    """The last lines of every log, on stderr."""
    for log in sorted((data_dir / "logs").glob("*.log")):
        print(f"--- {log.name}", *log.read_text(errors="replace").splitlines()[-12:], sep="\n", file=sys.stderr)


def cpu_seconds(pid: int, *, family: bool = False) -> float:
    """User and system time of a process; of its children too, ended ones included, with `family` (PostgreSQL's backends)."""
    fields = _stat(pid)
    total = fields[11] + fields[12]
    if family:
        total += fields[13] + fields[14]
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            try:
                stat = _stat(int(child))
            except OSError:
                continue
            total += stat[11] + stat[12]
    return total / TICKS


def _stat(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/stat").read_text()
    # The name stands in parentheses and may hold anything; the numbers begin behind the last one.
    return [int(field) if field.lstrip("-").isdigit() else 0 for field in text.rpartition(")")[2].split()]


def machine() -> dict[str, str | int | float]:
    """What the figures were measured on."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        "unknown",
    )
    return {
        "cpu": model,
        "cores": os.cpu_count() or 0,
        "python": sys.version.split()[0],
        "load_before": round(os.getloadavg()[0], 2),
    }
