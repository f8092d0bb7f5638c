"""What an architecture audit found: checks with their findings, coverage with what is missing, and what to do next."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from libs.contracts.message import Message, Text

Basis = Literal["tree", "release", "running"]
"""From the whole source tree now; from the tree when this release was built; or from the registries of the process that answers."""
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]
NO_SYSTEM = "unknown: no system running"


class Finding(Message):
    """One violation: where it is, and what is wrong there."""

    where: str
    en: str
    ar: str


class Check(Message):
    """One rule. `looked_at` says over how many things; a rule that looked at nothing is a finding itself, never a pass."""

    name: Name
    title: Text
    looked_at: Annotated[int, Field(ge=0)]
    findings: tuple[Finding, ...] = ()


class Coverage(Message):
    """A share that was counted: `have` of `of`. `value` is 0 to 100, None where there was nothing to count; `missing` names the rest."""

    name: Name
    counts: Text
    have: Annotated[int, Field(ge=0)]
    of: Annotated[int, Field(ge=0)]
    value: float | None
    missing: tuple[str, ...] = ()


class NextAction(Message):
    """What to do next, the gravest first: a violation, or what holds a score down."""

    about: Name
    count: Annotated[int, Field(ge=1)]
    what: Text
    first: tuple[str, ...] = ()


class ArchitectureReport(Message):
    """The audit. Scores are 0 to 100, each the value of the coverage of its name; None where it was not computed (see `not_computed`)."""

    basis: Basis
    at: datetime
    version: str
    commit: str | None = None
    digest: str | None = None
    """Of the source files that the report is about, so that a report that outlived them is not shown as theirs."""
    ok: bool
    checks: tuple[Check, ...]
    frontend_coverage: float | None = None
    backend_coverage: float | None = None
    safety_coverage: float | None = None
    proof_coverage: float | None = None
    test_coverage: float | None = None
    docs_coverage: float | None = None
    launch_readiness_score: float | str = NO_SYSTEM
    coverage: tuple[Coverage, ...] = ()
    not_computed: tuple[str, ...] = ()
    """Checks and scores that need what is not at hand: tests, documents, another plane's source."""
    next_actions: tuple[NextAction, ...] = ()
