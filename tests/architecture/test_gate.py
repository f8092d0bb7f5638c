"""No grant, no effect: the only way to a vendor leads through the gate, and nobody else can make what connectors accept."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest

from services.execution.app import Connector
from services.execution.connectors.email_smtp import EmailSmtp
from services.execution.connectors.internal import Internal
from services.execution.connectors.slack import Slack
from services.execution.connectors.whatsapp import WhatsApp

ROOT = Path(__file__).resolve().parents[2]
GATE = ROOT / "services" / "execution" / "gate.py"
CONNECTORS = ROOT / "services" / "execution" / "connectors"
WIRES = {
    "httpx",
    "aiosmtplib",
    "requests",
    "urllib3",
    "aiohttp",
    "smtplib",
    "ftplib",
    "paramiko",
    "http.client",
    "urllib.request",
}


def modules(*folders: str) -> Iterator[Path]:
    for folder in folders:
        yield from sorted((ROOT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module that a file names in an import, and its package."""
    out: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            out |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            out |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return out | {name.split(".")[0] for name in out}


def names(path: Path) -> set[str]:
    return {node.id for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))) if isinstance(node, ast.Name)}


def calls(path: Path, name: str) -> int:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return sum(
        isinstance(node, ast.Call)
        and (getattr(node.func, "id", None) == name or getattr(node.func, "attr", None) == name)
        for node in ast.walk(tree)
    )


def test_an_admitted_is_made_in_one_place() -> None:
    made = {path: calls(path, "Admitted") for path in modules("libs", "services", "dev")}
    assert {path for path, count in made.items() if count} == {GATE}
    assert made[GATE] == 1


def test_the_seal_is_known_to_the_gate_alone() -> None:
    text = {path: path.read_text(encoding="utf-8") for path in modules("libs", "services", "dev", "benchmarks")}
    assert [path for path, code in text.items() if "_SEAL" in code] == [GATE]


def test_only_the_pipeline_performs() -> None:
    performing = {path.name for path in modules("services") if calls(path, "perform")}
    assert performing == {"pipeline.py"}


@pytest.mark.parametrize("connector", [EmailSmtp, WhatsApp, Slack, Internal, Connector])
def test_a_connector_takes_an_admitted_and_nothing_else(connector: type) -> None:
    parameters = inspect.signature(connector.perform).parameters  # type: ignore[attr-defined]
    assert [(name, str(p.annotation)) for name, p in parameters.items()] == [
        ("self", str(inspect.Parameter.empty)), ("admitted", "Admitted"),
    ]  # fmt: skip


def test_only_connectors_hold_a_wire() -> None:
    """The gateway may speak to the configured identity provider; everything else leaves by a connector."""
    holding = {
        path.relative_to(ROOT).as_posix()
        for path in modules("services", "libs")
        if CONNECTORS not in path.parents and "gateway" not in path.parts and imported(path) & WIRES
    }
    assert holding == set()
    assert imported(CONNECTORS / "http.py") & WIRES, "this test can see a wire"


def test_only_trust_signs_grants() -> None:
    signing = [path for path in modules("libs", "services") if "SigningKey" in names(path)]
    assert {path.relative_to(ROOT).parts[1] for path in signing} <= {"trust"}
