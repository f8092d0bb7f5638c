"""The compliance matrix as PDF, in Arabic and English: how many have which result, what fails and who mends it, and every control."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from libs.contracts.business_time import RIYADH
from libs.contracts.compliance import ControlStanding, MatrixReply
from libs.contracts.message import Text
from libs.documents.model import Document, Facts, Heading, Language, Paragraph, Section, Table
from libs.documents.pdf import render

RESULTS: Mapping[str, Text] = {
    "fail": Text(en="fails", ar="مخالف"), "unknown": Text(en="not assessed", ar="لم يُقيَّم"), "pass": Text(en="kept", ar="مستوفى"),
    "n/a": Text(en="not applicable", ar="لا ينطبق"),
}  # fmt: skip
_WORDS: Mapping[Language, Mapping[str, str]] = {
    "ar": {
        "title": "مصفوفة الامتثال السعودي", "lead": "ما لا بيانات له أو قدُمت قراءته لم يُقيَّم، ولا يُعدّ مستوفى.", "made": "أُعدّت",
        "version": "إصدار الضوابط", "count": "عدد الضوابط", "failing": "المخالف", "all": "كل الضوابط", "nothing": "لا ضابط مخالف.",
        "failing_columns": "الضابط | العنوان | السبب | المسؤول | الموعد | صفوف مخالفة",
        "columns": "الضابط | العنوان | الجهة | النتيجة | المخالف من الصفوف | آخر فحص",
    },
    "en": {
        "title": "Saudi compliance matrix", "lead": "What has no data, or an old reading, is not assessed. It never counts as kept.",
        "made": "Made", "version": "Version of the controls", "count": "Controls", "failing": "What fails", "all": "All controls",
        "nothing": "No control fails.", "failing_columns": "control | title | why | owner | due | failing rows",
        "columns": "control | title | authority | result | failing of rows | looked at",
    },
}  # fmt: skip
_LANGUAGES: tuple[Language, ...] = ("ar", "en")


def matrix_pdf(found: MatrixReply, made_at: datetime, tenant: str) -> bytes:
    """The PDF's bytes. `made_at` is aware; `tenant` is the name that the footer shows. Takes up to some seconds: not for an event loop."""
    sections = [_section(language, found, made_at) for language in _LANGUAGES]
    return render(Document(made_at, sections, f"Dealix · {tenant}"))


def _section(language: Language, found: MatrixReply, made_at: datetime) -> Section:
    words = _WORDS[language]
    counted = [(_say(language, text), str(found.counts.get(key, 0))) for key, text in RESULTS.items()]
    facts = [
        (words["made"], _local(made_at)), (words["version"], found.catalogue_version), (words["count"], str(len(found.items))), *counted,
    ]  # fmt: skip
    failing = [_failing(language, one) for one in found.items if one.result == "fail"]
    order = list(RESULTS)
    listed = sorted(found.items, key=lambda one: order.index(one.result.value))
    return Section(
        language, words["title"], words["lead"],
        [
            Facts(facts), Paragraph(_say(language, found.not_advice), quiet=True), Heading(words["failing"]),
            Table(words["failing_columns"].split(" | "), failing, (1.2, 1.8, 2.2, 1.8, 1.3, 1.6), words["nothing"]), Heading(words["all"]),
            Table(words["columns"].split(" | "), [_row(language, one) for one in listed], (1.5, 2.6, 0.9, 1.1, 1, 1.4)),
        ],
    )  # fmt: skip


def _failing(language: Language, one: ControlStanding) -> list[str]:
    sample = "\n".join(one.reading.sample[:3]) if one.reading else ""
    due = _local(one.due_at) if one.due_at else ""
    return [one.control.control_id, _title(language, one), _say(language, one.why), one.owner, due, sample]


def _row(language: Language, one: ControlStanding) -> list[str]:
    seen = one.reading
    rows = f"{seen.failing} / {seen.rows}" if seen and seen.rows else "-"
    return [
        one.control.control_id, _title(language, one), one.control.authority, _say(language, RESULTS[one.result.value]), rows,
        _local(seen.checked_at) if seen else "-",
    ]  # fmt: skip


def _title(language: Language, one: ControlStanding) -> str:
    return one.control.title_ar if language == "ar" else one.control.title_en


def _say(language: Language, text: Text) -> str:
    return text.ar if language == "ar" else text.en


def _local(at: datetime) -> str:
    return at.astimezone(RIYADH).strftime("%Y-%m-%d %H:%M")
