"""Stored questions, read again: a fact that policies learned to look at later has its default."""

from __future__ import annotations

import json
from dataclasses import fields

from services.trust.domain.policy import Question

_NAMES = frozenset(field.name for field in fields(Question))


def read_question(document: str) -> Question:
    """The question that a stored document is. Facts that policies no longer look at are left out."""
    return Question(**{name: value for name, value in json.loads(document).items() if name in _NAMES})
