"""The whole audit of a tree: every check, every score with what is missing, and what to do next."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Final

from dev.architecture import coverage
from dev.architecture.catalogues import catalogue_check
from dev.architecture.forbidden import forbidden_checks
from dev.architecture.policies import policy_check
from dev.architecture.surface import routes_of, surface_checks
from dev.architecture.tree import Tree, strings_in
from dev.state import dealix_version
from libs.architecture.digest import digest
from libs.architecture.registries import made, registry_checks
from libs.contracts.architecture import ArchitectureReport, Check, Coverage, Finding, NextAction
from libs.contracts.message import Text

FIRST: Final = 5
RELEASED: Final = Path("services/gateway/release/architecture-audit.json")
"""Where a build leaves the report for the gateway to serve; not checked in."""
Step = Callable[[str, float | None], None]


def audit(
    tree: Tree, *, now: datetime, readiness: float | str, commands: Iterable[str] = (), step: Step | None = None
) -> ArchitectureReport:
    """Audit a tree. `readiness` is what the running system says, or why nobody knows; `commands` are those that documents have to name.

    Raises NotASource.
    """
    tell = step or (lambda *_: None)
    tree.require()
    tell("planes, routes, pages", 0.1)
    routes = routes_of(tree)
    checks: list[Check] = list(surface_checks(tree))
    tell("forbidden patterns", 0.4)
    checks += forbidden_checks(tree)
    checks += [*registry_checks(tree.catalogue), policy_check(tree), services_check(tree)]
    tell("tests and documents", 0.6)
    said = {text for path in tree.below("tests") for text in strings_in(tree.parsed(path))}
    checks.append(catalogue_check(tree, said))
    tell("coverage", 0.8)
    shares = (
        coverage.frontend(tree),
        coverage.backend(tree, routes),
        coverage.safety(tree, said),
        coverage.proof(tree),
        coverage.tests(tree, routes, said),
        coverage.docs(tree, commands),
    )
    return ArchitectureReport(
        basis="tree",
        at=now,
        version=dealix_version(),
        commit=tree.commit,
        digest=digest(tree.root),
        ok=not any(check.findings for check in checks),
        checks=tuple(checks),
        coverage=shares,
        launch_readiness_score=readiness,
        next_actions=next_actions(checks, shares),
        **{share.name: share.value for share in shares},
    )


def services_check(tree: Tree) -> Check:
    """What is sold has a metric of the dictionary that proves it."""
    tower, metrics = coverage.services_of(tree), tree.catalogue("metrics.yaml")
    findings = [
        Finding(where=f"services: {name}", en="It has no proof metric.", ar="بلا مؤشر إثبات.")
        for name, one in tower.items() if not one.get("proof_metric")
    ]  # fmt: skip
    findings += [
        Finding(
            where=f"services: {name}",
            en=f"There is no metric {one['proof_metric']}.",
            ar=f"لا يوجد المؤشر {one['proof_metric']}.",
        )
        for name, one in tower.items()
        if isinstance(one.get("proof_metric"), str)
        and tree.has("libs/contracts/catalogue/metrics.yaml")
        and one["proof_metric"] not in metrics
    ]
    return made("services_proven", "Services have a proof metric", "لكل خدمة مؤشر إثبات", len(tower), findings)


def next_actions(checks: Iterable[Check], shares: Iterable[Coverage]) -> tuple[NextAction, ...]:
    """Violations first, the most frequent leading; then what holds the lowest scores down."""
    broken = sorted((check for check in checks if check.findings), key=lambda check: -len(check.findings))
    actions = [
        NextAction(
            about=check.name, count=len(check.findings), first=tuple(found.where for found in check.findings[:FIRST]),
            what=Text(en=f"Mend: {check.title.en}", ar=f"عالِج: {check.title.ar}"),
        )
        for check in broken
    ]  # fmt: skip
    lacking = sorted((share for share in shares if share.missing), key=lambda share: share.value or 0)
    actions += [
        NextAction(
            about=share.name, count=len(share.missing), first=share.missing[:FIRST],
            what=Text(en=f"Raise from {share.value}: {share.counts.en}", ar=f"ارفع النسبة من {share.value}: {share.counts.ar}"),
        )
        for share in lacking
    ]  # fmt: skip
    return tuple(actions)
