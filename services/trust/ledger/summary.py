"""The readable page of an evidence pack, in Arabic and English."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from libs.contracts.business_time import RIYADH

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "title": "Evidence pack",
        "scope": "Scope",
        "made": "Made on",
        "log": "Log",
        "size": "Entries in the log at the checkpoint",
        "entries": "Entries in this pack",
        "erased": "Entries erased on request (places in the log)",
        "witness": "Witness: none. No third party has countersigned this checkpoint.",
        "witnesses": "Witnesses who have cosigned this checkpoint",
        "word": "Actions in the scope, and on whose word",
        "names": "Records and flows that belong to it, and on whose word",
        "limit": "The pack proves that these entries are in the log. It does not prove that the scope has no others.",
        "verify": "Verify: dealix verify pack.zip --trust-root jwks.json (take the key file from elsewhere, not from us)",
        "columns": "place | time in Riyadh | kind | target | actor",
    },
    "ar": {
        "title": "حزمة أدلة",
        "scope": "النطاق",
        "made": "أُعدّت في",
        "log": "دفتر الإثبات",
        "size": "عدد قيود الدفتر عند نقطة التحقق",
        "entries": "عدد القيود في هذه الحزمة",
        "erased": "قيود مُحيت بناءً على طلب (مواضعها في الدفتر)",
        "witness": "الشاهد: لا يوجد. لم يصادق طرف ثالث على نقطة التحقق هذه.",
        "witnesses": "شهود صادقوا على نقطة التحقق هذه",
        "word": "إجراءات النطاق، وبقول مَن",
        "names": "السجلات والمسارات التابعة له، وبقول مَن",
        "limit": "تثبت الحزمة وجود هذه القيود في الدفتر، ولا تثبت خلوّ النطاق من غيرها.",
        "verify": "للتحقق: dealix verify pack.zip --trust-root jwks.json (خذ ملف المفاتيح من مصدر مستقل عنّا)",
        "columns": "الموضع | الوقت بتوقيت الرياض | النوع | الموضوع | الفاعل",
    },
}

LANGUAGES = tuple(WORDS)
PLANES: Mapping[str, Mapping[str, str]] = {
    "en": {"ledger": "the ledger", "execution": "execution", "data": "data"},
    "ar": {"ledger": "الدفتر", "execution": "نظام التنفيذ", "data": "نظام البيانات"},
}


def selected(language: str, selection: Mapping[str, Any] | None) -> list[tuple[str, str]]:
    """How many names and actions are in the scope on whose word; nothing where the scope alone says what belongs to it."""
    if selection is None:
        return []
    words, planes = WORDS[language], PLANES[language]
    lines = []
    for label, part in ((words["names"], selection["names"]), (words["word"], selection["actions"])):
        counts = Counter(part.values())
        said = " · ".join(f"{planes[by]} {counts[by]:,}" for by in planes if counts[by])
        lines.append((label, said or "0"))
    return lines


def summary(
    language: str,
    *,
    scope: str,
    generated_at: datetime,
    origin: str,
    size: int,
    entries: Sequence[tuple[int, bytes]],
    erased: Sequence[int],
    witnesses: Sequence[str] = (),
    selection: Mapping[str, Any] | None = None,
) -> str:
    """The page in one of `LANGUAGES`. `entries` are sequence numbers and canonical entries."""
    words = WORDS[language]
    lines = [
        words["title"],
        "",
        f"{words['scope']}: {scope}",
        f"{words['made']}: {local(generated_at)}",
        f"{words['log']}: {origin}",
        f"{words['size']}: {size}",
        f"{words['entries']}: {len(entries)}",
    ]
    lines += [f"{label}: {said}" for label, said in selected(language, selection)]
    if erased:
        lines.append(f"{words['erased']}: {', '.join(map(str, erased))}")
    seen = f"{words['witnesses']}: {', '.join(witnesses)}" if witnesses else words["witness"]
    lines += [seen, words["limit"], words["verify"], "", words["columns"]]
    for seq, body in entries:
        entry = json.loads(body)
        at = datetime.strptime(entry["at"], "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=UTC)
        lines.append(f"{seq} | {local(at)} | {entry['kind']} | {entry['target']} | {entry['actor']}")
    return "\n".join(lines) + "\n"


def local(at: datetime) -> str:
    """A moment as the clock in Riyadh shows it."""
    return at.astimezone(RIYADH).strftime("%Y-%m-%d %H:%M:%S")
