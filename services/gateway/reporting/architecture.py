"""The architecture audit that this gateway can answer for: the report of its own build, or what its own registries show now."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from libs.architecture.digest import digest
from libs.architecture.registries import duplicates, registry_checks
from libs.contracts.architecture import ArchitectureReport, NextAction
from libs.contracts.message import Text
from libs.runtime.settings import VERSION

RELEASED: Final = Path(__file__).resolve().parents[1] / "release" / "architecture-audit.json"
"""Left there by `dealix audit --release` when a release is built."""
NOT_HERE: Final = (
    "planes_present", "modules_used", "routers_registered", "pages_present", "no_scraping", "no_blocked_operation", "no_private_file", "no_secret",
    "negative_tests", "policies_refuse", "services_proven", "catalogue_entries_tested", "frontend_coverage", "backend_coverage", "safety_coverage",
    "proof_coverage", "test_coverage", "docs_coverage", "launch_readiness_score",
)  # fmt: skip
"""What needs the whole source, its tests and its documents: a gateway has its own files alone."""


ASK_READINESS: Final = "unknown: GET /api/v1/launch-readiness tells it of this system"
"""A score that a build had is of the system that was asked then, not of this one."""


def released(path: Path = RELEASED, *, is_of: Callable[[], str] = digest) -> ArchitectureReport | None:
    """The report of this build. None where there is none, it can't be read, or the files are not those any more that it is about."""
    try:
        report = ArchitectureReport.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValidationError):
        return None
    return report.evolve(basis="release", launch_readiness_score=ASK_READINESS) if report.digest == is_of() else None


def running(routes: Iterable[tuple[str, str]], *, now: datetime) -> ArchitectureReport:
    """What the registries and routes of this process show, and what they can't show."""
    checks = (duplicates(routes), *registry_checks())
    return ArchitectureReport(
        basis="running",
        at=now,
        version=VERSION,
        ok=not any(check.findings for check in checks),
        checks=checks,
        launch_readiness_score=ASK_READINESS,
        not_computed=NOT_HERE,
        next_actions=tuple(
            NextAction(
                about=check.name, count=len(check.findings), first=tuple(found.where for found in check.findings[:5]),
                what=Text(en=f"Mend: {check.title.en}", ar=f"عالِج: {check.title.ar}"),
            )
            for check in checks if check.findings
        ),
    )  # fmt: skip
