"""How automatic controls are looked at: `checks.yaml` and its companions by subject, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict

from libs.contracts.catalogue.controls import ControlKind, controls

FILE = Path(__file__).with_suffix(".yaml")
"""Has the prelude that every check builds on."""
FILES = (FILE, FILE.with_name("checks_privacy.yaml"), FILE.with_name("checks_security.yaml"))
SAMPLE = 10
"""Failing rows that a reading names."""


class Check(BaseModel):
    """What is looked at, in words and in SQL, and which part of the control has no record yet."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    en: str
    ar: str
    sql: str
    unrecorded_en: str = ""
    unrecorded_ar: str = ""


@cache
def checks() -> dict[str, Check]:
    """All checks by control id.

    Raises ValueError when one is for a control that the catalogue does not have or that is attested, or is in two files.
    """
    found: dict[str, Check] = {}
    for file in FILES:
        for key, body in _document(file)["checks"].items():
            if key in found:
                raise ValueError(f"{key} has two checks")
            found[key] = Check.model_validate(body)
    automatic = {key for key, control in controls().items() if control.kind is ControlKind.AUTOMATIC}
    if found.keys() - automatic:
        raise ValueError(f"checks without an automatic control: {sorted(found.keys() - automatic)}")
    return found


@cache
def statement(control_id: str) -> str:
    """The whole query of a check: one row with rows, failing, unclear and a sample of failing ids."""
    return counting(checks()[control_id])


def counting(*wanted: Check) -> str:
    """The same of any checks that build on the prelude: a row for each, numbered from 0 in `n`."""
    prelude = ", ".join(_document(file)["prelude"] for file in FILES if "prelude" in _document(file))
    counted = " union all ".join(
        f"select {n} as n, count(*) as rows, count(*) filter (where ok is false) as failing, count(*) filter (where ok is null) as unclear, "
        f"(array_agg(id order by id) filter (where ok is false))[1:{SAMPLE}] as sample from ({check.sql}) looked_{n}"
        for n, check in enumerate(wanted)
    )
    return f"with {prelude} {counted}"


@cache
def _document(file: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return loaded
