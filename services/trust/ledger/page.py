"""The readable page of an evidence pack as PDF: what the pack proves, what was approved, what was done, and the entries."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from libs.documents.model import Block, Document, Facts, Heading, Language, Paragraph, Section, Table
from libs.documents.pdf import render
from services.trust.ledger.summary import WORDS, local, selected

if TYPE_CHECKING:
    from services.trust.ledger.pack import PackContents

MAX_ROWS = 400
"""Entries listed in the PDF. All of them are in the pack; a person reads no longer table."""

_WORDS: Mapping[Language, Mapping[str, str]] = {
    "ar": {
        "lead": "ما يثبته هذا الملف، وما تمت الموافقة عليه، وما نُفّذ",
        "witness": "الشهود",
        "no_witness": "لا شاهد: لم يصادق طرف ثالث على نقطة التحقق هذه",
        "platform": "نقطة التحقق في دفتر المنصة",
        "platform_yes": "القيد",
        "platform_no": "لم تدخله بعد",
        "approvals": "ما تمت الموافقة عليه",
        "requested_by": "طلبه",
        "why": "السبب",
        "approved": "حالة الموافقة",
        "risk": "المخاطرة",
        "undo": "التراجع",
        "receipts": "ما نُفّذ",
        "none": "لا إيصالات في هذا النطاق.",
        "receipt_columns": "الموصل | العملية | الوضع | رقم المزوّد | الوقت بتوقيت الرياض",
        "list": "القيود",
        "more": "قيود أخرى في الحزمة لا تظهر هنا:",
        "sandbox": "تجريبي",
        "live": "فعلي",
    },
    "en": {
        "lead": "What this pack proves, what was approved and what was done",
        "witness": "Witnesses",
        "no_witness": "None: no third party has countersigned this checkpoint",
        "platform": "Checkpoint in the platform's log",
        "platform_yes": "entry",
        "platform_no": "not there yet",
        "approvals": "What was approved",
        "requested_by": "Requested by",
        "why": "Why",
        "approved": "Approval steps",
        "risk": "Risk",
        "undo": "Undoing it",
        "receipts": "What was done",
        "none": "No receipts in this scope.",
        "receipt_columns": "connector | operation | mode | vendor's id | time in Riyadh",
        "list": "Entries",
        "more": "Further entries of the pack that are not listed here:",
        "sandbox": "sandbox",
        "live": "live",
    },
}


def page(contents: PackContents, entries: Sequence[tuple[int, bytes]], *, origin: str, size: int) -> bytes:
    """The PDF. `entries` are sequence numbers and canonical entries, in order; the same contents give the same bytes."""
    read = [(seq, json.loads(body)) for seq, body in entries]
    sections = [_section(language, contents, read, origin, size) for language in _WORDS]
    return render(Document(contents.generated_at, sections, f"Dealix · {contents.scope}"))


def _section(
    language: Language, contents: PackContents, entries: Sequence[tuple[int, Any]], origin: str, size: int
) -> Section:
    words, more = WORDS[language], _WORDS[language]
    names = sorted({name for name, _ in contents.cosignatures})
    place = None if contents.platform is None else contents.platform["proof"]["seq"]
    facts = [
        (words["scope"], contents.scope),
        (words["made"], local(contents.generated_at)),
        (words["log"], origin),
        (words["size"], f"{size:,}"),
        (words["entries"], f"{len(entries):,}"),
        (more["witness"], ", ".join(names) or more["no_witness"]),
        (more["platform"], more["platform_no"] if place is None else f"{more['platform_yes']} {place}"),
    ]
    facts += selected(language, contents.selection)
    if contents.erased:
        facts.append((words["erased"], ", ".join(map(str, contents.erased))))
    blocks: list[Block] = [Facts(facts), Paragraph(words["limit"], quiet=True), Paragraph(words["verify"], quiet=True)]
    return Section(
        language,
        words["title"],
        more["lead"],
        [*blocks, *_approvals(language, contents, entries), *_receipts(language, contents), *_list(language, entries)],
    )


def _approvals(language: Language, contents: PackContents, entries: Sequence[tuple[int, Any]]) -> list[Block]:
    more = _WORDS[language]
    blocks: list[Block] = []
    for approval_id, salted in contents.views.items():
        view = json.loads(salted.data)
        steps = [
            f"{entry['kind'].removeprefix('approval.')} · {entry['actor']} · {_at(entry)}"
            for _, entry in entries
            if entry["kind"].startswith("approval.") and entry["data"].get("approval_id") == str(approval_id)
        ]
        shown = [
            (more["requested_by"], str(view.get("requested_by", ""))),
            (more["why"], str(view.get("why", ""))),
            (more["risk"], str(view.get("risk", ""))),
            *((field[f"label_{language}"], _value(field["value"])) for field in view.get("fields", ())),
            (more["undo"], str(view.get(f"compensation_{language}", ""))),
            (more["approved"], "\n".join(steps)),
            ("SHA-256", str(view.get("payload_sha256", ""))),
        ]
        blocks += [
            Heading(f"{more['approvals']}: {view.get(f'title_{language}') or view.get('title', '')}"),
            Facts([(label, value) for label, value in shown if value]),
        ]
    return blocks


def _receipts(language: Language, contents: PackContents) -> list[Block]:
    more = _WORDS[language]
    rows = [
        (r.connector, r.operation, more.get(r.mode, r.mode), r.vendor_id, local(r.finished_at))
        for r in contents.receipts
    ]
    table = Table(more["receipt_columns"].split(" | "), rows, (1.6, 1.6, 1, 4, 2.4), empty=more["none"])
    return [Heading(more["receipts"]), table]


def _list(language: Language, entries: Sequence[tuple[int, Any]]) -> list[Block]:
    words, more = WORDS[language], _WORDS[language]
    rows = [(str(seq), _at(e), e["kind"], e["target"], e["actor"]) for seq, e in entries[:MAX_ROWS]]
    blocks: list[Block] = [Heading(more["list"]), Table(words["columns"].split(" | "), rows, (0.95, 2.3, 2, 3.3, 3.3))]
    if len(entries) > MAX_ROWS:
        blocks.append(Paragraph(f"{more['more']} {len(entries) - MAX_ROWS:,}", quiet=True))
    return blocks


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _at(entry: Mapping[str, Any]) -> str:
    return local(datetime.strptime(entry["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC))
