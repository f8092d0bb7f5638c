"""Words the import knows: columns, places, sectors, answers, company words, messages. Data with one loader."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml


@cache
def load(name: str) -> Any:
    """The vocabulary file `name`. Every scalar is a string: YAML would otherwise read yes, no and 1 as something
    else."""
    text = Path(__file__).with_name(f"{name}.yaml").read_text(encoding="utf-8")
    return yaml.load(text, Loader=yaml.BaseLoader)
