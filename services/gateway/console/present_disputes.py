"""Contradictions as an approval shows them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from libs.contracts import trust
from services.gateway.console import views
from services.gateway.console.present import pick
from services.gateway.console.urls import url
from services.gateway.console.views import Lang

_SAID_IN = {
    "document": ("مستند", "A document"),
    "activity": ("رسالة واردة", "An inbound message"),
    "record": ("السجل نفسه", "The record itself"),
    "consent": ("دليل الموافقة", "The proof of consent"),
    "action": ("إجراء", "An action"),
}


def said_in(lang: Lang, source: str) -> str:
    """Where a claim was made, in words; a source of no kind of ours stands for itself."""
    kind, _, rest = source.partition(":")
    if kind not in _SAID_IN:
        return source
    named = pick(lang, *_SAID_IN[kind])
    return f"{named}: {rest}" if kind == "consent" and rest else named


def disputes(lang: Lang, approval: trust.Approval, names: Mapping[str, str]) -> tuple[views.Dispute, ...]:
    """What the request's view says that contradicts itself."""
    return tuple(
        views.Dispute(
            str(one["subject"]),
            tuple(
                views.Said(
                    str(c[f"label_{lang}"]), f"{c[f'value_{lang}']} {c['unit']}".strip(), said_in(lang, str(c["source"])), names.get(str(c["recorded_by"]), str(c["recorded_by"])),
                    datetime.fromisoformat(str(c["recorded_at"])),
                )
                for c in one["claims"]
            ),
            url("contradiction", str(one["contradiction_id"])),
        )
        for one in approval.view.get("contradictions") or []
    )  # fmt: skip
