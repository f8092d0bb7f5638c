"""Words that the reviewers and writers know. Data with one loader; every scalar is a string."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def load(name: str) -> Any:
    """The vocabulary file `name`, as nested mappings and lists of strings."""
    text = Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8")
    # BaseLoader: YAML would otherwise read "no" and "on" as booleans.
    return yaml.load(text, Loader=yaml.BaseLoader)
