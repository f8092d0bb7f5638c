"""Approvals: the queue, and one request with exactly what would run and exactly which hashes a yes is bound to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from dev.messages import Lang
from dev.terminal import Cell, facts, plain, table, toned, when
from dev.views.job import heading
from dev.words import word

Json = Mapping[str, Any]


def queue(lang: Lang, items: Sequence[Json]) -> RenderableType:
    """Requests, one line each. Where all still wait, the state goes without saying."""
    headings = [
        ("approval", "الموافقة"), ("what", "الإجراء"), ("to", "إلى"), ("risk", "المخاطرة"), ("decides", "صاحب القرار"),
        ("due", "الموعد"),
    ]  # fmt: skip
    rows: list[list[Cell]] = [
        [
            plain(a.get("approval_id")),
            _title(lang, a),
            _target(a),
            toned(word("risk", a.get("risk"), lang), a.get("risk")),
            word("role", a.get("role"), lang),
            when(a.get("due_at")),
        ]
        for a in items
    ]
    if any(a.get("state") != "pending" for a in items):
        headings.append(("state", "الحالة"))
        for row, a in zip(rows, items, strict=True):
            row.append(toned(word("approval_state", a.get("state"), lang), a.get("state")))
    return table(lang, headings, rows, whole=[0])


def _title(lang: Lang, approval: Json) -> str:
    return plain((approval.get("view") or {}).get(f"title_{lang}") or approval.get("action_type"))


def _target(approval: Json) -> str:
    fields = {f.get("name"): f.get("value") for f in (approval.get("view") or {}).get("fields") or ()}
    return " · ".join(plain(fields[name]) for name in ("account_name", "to") if fields.get(name))


def in_full(lang: Lang, approval: Json) -> RenderableType:
    """Everything that a decision is about. Nothing is shortened."""
    ar = lang == "ar"
    view: Json = approval.get("view") or {}
    about: list[tuple[str, Cell]] = [
        ("الموافقة" if ar else "approval", plain(approval.get("approval_id"))),
        ("الحالة" if ar else "state", toned(word("approval_state", approval.get("state"), lang), approval.get("state"))),
        ("المخاطرة" if ar else "risk", toned(word("risk", approval.get("risk"), lang), approval.get("risk"))),
        ("طلبه" if ar else "requested by", plain(view.get("requested_by") or approval.get("requester"))),
        ("السبب" if ar else "reason", plain(approval.get("reason"), lines=True)),
        ("القيمة" if ar else "value", _money(lang, approval.get("value_sar"))),
        ("يُنفّذ عبر" if ar else "carried out by", plain(view.get("connector"))),
        ("التراجع" if ar else "afterwards", plain(view.get(f"compensation_{lang}") or approval.get("compensation"))),
        ("دون رد" if ar else "if nobody answers", plain(view.get(f"if_nobody_answers_{lang}"))),
        ("الموعد" if ar else "due", when(approval.get("due_at"))),
        ("تنتهي" if ar else "expires", when(approval.get("expires_at"))),
    ]  # fmt: skip
    parts: list[RenderableType] = [
        heading(lang, _title(lang, approval), _title(lang, approval)),
        facts([pair for pair in about if pair[1]]),
    ]
    if reasons := [plain(r.get(lang)) for r in view.get("reasons") or ()]:
        parts += [heading(lang, "What policy says", "ما تقوله السياسة"), *(Text(f"  {reason}") for reason in reasons)]
    for one in view.get("contradictions") or ():
        said = [
            (plain(c.get(f"label_{lang}")), plain(f"{c.get(f'value_{lang}')} {c.get('unit')}"), plain(c.get("source")), plain(c.get("recorded_by")))
            for c in one["claims"]
        ]  # fmt: skip
        headings = [("claim", "الادعاء"), ("value", "القيمة"), ("source", "المصدر"), ("by", "من")]
        parts += [
            heading(lang, f"Contradicting claims: {plain(one['subject'])}", f"ادعاءات متناقضة: {plain(one['subject'])}"),
            table(lang, headings, said),
        ]  # fmt: skip
    if fields := view.get("fields"):
        shown = [(plain(f.get(f"label_{lang}") or f.get("name")), plain(f.get("value"), lines=True)) for f in fields]
        parts += [heading(lang, "What would be carried out", "ما سيُنفّذ"), facts(shown)]
    parts += [
        heading(lang, "The payload, exactly", "الحمولة كما هي"),
        Text(plain(approval.get("payload")), no_wrap=True, overflow="ignore"),
        Text(),
        facts([("payload_hash", plain(approval.get("payload_hash"))), ("view_hash", plain(approval.get("view_hash"))),
               ("policy_version", plain(approval.get("policy_version")))]),
    ]  # fmt: skip
    if history := approval.get("history"):
        steps = [
            (when(s.get("at"), seconds=True), plain(s.get("step")), plain(s.get("actor")), plain(s.get("note")))
            for s in history
        ]
        headings = [("time", "الوقت"), ("step", "الخطوة"), ("by", "من"), ("note", "ملاحظة")]
        parts += [heading(lang, "History", "السجل"), table(lang, headings, steps)]
    return Group(*parts)


def _money(lang: Lang, value: object) -> str:
    """An amount of riyals, grouped; one that is no number is shown as it is."""
    if not value:
        return ""
    try:
        amount = f"{Decimal(str(value)):,.2f}"
    except InvalidOperation:
        amount = plain(value)
    return f"{amount} ر.س" if lang == "ar" else f"SAR {amount}"
