"""Requests of one template side by side. Only what differs in declared fields alone may be decided in one go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from libs.contracts.approvals import ComparedRow, Comparison
from libs.contracts.trust import Approval
from services.trust.errors import NotAlike

TEMPLATE_FIELDS = ("template", "template_version", "language")


def compare(approvals: Sequence[Approval]) -> Comparison:
    """The differing fields of identical templates, as a table.

    Raises NotAlike when they are not of one action type, one template and one set of fields, name no template, or show a
    contradiction: that is looked at one by one.
    """
    payloads: list[dict[str, Any]] = [json.loads(one.payload) for one in approvals]
    marks = {
        (
            one.action_type,
            one.view.get("connector"),
            one.role,
            *(str(p.get(f, "")) for f in TEMPLATE_FIELDS),
            *sorted(p),
        )
        for one, p in zip(approvals, payloads, strict=True)
    }
    first = payloads[0]
    template = next((str(first[f]) for f in TEMPLATE_FIELDS[:2] if first.get(f)), "")
    if len(marks) != 1 or not template or any(one.view.get("contradictions") for one in approvals):
        raise NotAlike
    same = {k: v for k, v in first.items() if all(p[k] == v for p in payloads)}
    differing = tuple(sorted(first.keys() - same.keys()))
    return Comparison(
        action_type=approvals[0].action_type,
        template=template,
        same=same,
        differing=differing,
        rows=tuple(
            ComparedRow(
                approval_id=one.approval_id, payload_hash=one.payload_hash, view_hash=one.view_hash,
                values={name: payload[name] for name in differing},
            )
            for one, payload in zip(approvals, payloads, strict=True)
        ),
    )  # fmt: skip
