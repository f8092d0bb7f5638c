"""The board pack as PDF, in Arabic and English: figures with what disputes them, risks with their basis, decisions, section by section."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from libs.contracts.board_pack import BoardPack, PackSection
from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.executive import Risk, RoomFigure
from libs.contracts.message import Text
from libs.documents.model import Block, Document, Facts, Heading, Language, Paragraph, Section, Table
from libs.documents.pdf import render
from services.gateway.figures import UNITS, figure

_WORDS: Mapping[Language, Mapping[str, str]] = {
    "ar": {
        "title": "ملف مجلس الإدارة", "lead": "كل رقم من سجل المؤشرات، ومعه عدد السجلات التي جاء منها. ما لا بيانات له لا يُعدّ صفرًا.",
        "period": "الفترة", "until": "حتى", "made": "أُعدّ", "actual": "الإيراد الفعلي", "forecast": "المتوقع قبل بداية الفترة", "sure": "الثقة",
        "so_far": "الفترة لم تنتهِ بعد", "none": "لا بيانات", "risks": "أهم المخاطر", "decisions": "قرارات مطلوبة", "no_risks": "لا مخاطر فيما أمكنت قراءته.",
        "no_decisions": "لا قرارات معلّقة.", "risk_columns": "المخاطرة | الاحتمال من 5 | الأثر من 5 | الأساس",
        "figure_columns": "المؤشر | القيمة | السجلات | ملاحظة", "nothing": "لا مؤشرات في هذا القسم.", "not_scored": "لم يُقدَّر", "as_of": "كما في",
    },
    "en": {
        "title": "Board pack", "lead": "Every figure is the metric layer's, with how many records it came from. No data is not zero.",
        "period": "Period", "until": "Until", "made": "Made", "actual": "Revenue, actual", "forecast": "Forecast before the period began", "sure": "Confidence",
        "so_far": "The period is not over", "none": "No data", "risks": "Key risks", "decisions": "Decisions required",
        "no_risks": "No risk could be found in what was read.", "no_decisions": "No decision waits.",
        "risk_columns": "risk | likelihood of 5 | impact of 5 | basis", "figure_columns": "figure | value | records | note",
        "nothing": "There are no figures in this section.", "not_scored": "Not scored", "as_of": "As of",
    },
}  # fmt: skip
LANGUAGES: tuple[Language, ...] = ("ar", "en")


def board_pdf(found: BoardPack, tenant: Text, languages: Sequence[Language] = LANGUAGES) -> bytes:
    """The PDF's bytes. Takes up to some seconds: not for an event loop."""
    sections = [_section(language, found) for language in languages]
    return render(Document(found.made_at, sections, f"Dealix · {_say(languages[0], tenant)} · {found.period}"))


def _section(language: Language, found: BoardPack) -> Section:
    words = _WORDS[language]
    period = f"{found.period} ({words['so_far']})" if found.so_far else found.period
    facts = [
        (words["period"], period), (words["until"], _local(found.until)), (words["made"], _local(found.made_at)),
        (words["actual"], _amount(language, found.revenue_actual)), (words["forecast"], _amount(language, found.revenue_forecast)),
        (words["sure"], f"{found.provenance.confidence:.0%}"),
    ]  # fmt: skip
    decisions = found.decisions_required_ar if language == "ar" else found.decisions_required
    blocks: list[Block] = [
        Facts(facts), Heading(words["risks"]),
        Table(words["risk_columns"].split(" | "), [_risk(language, one) for one in found.top_risks], (3, 1, 1, 2), words["no_risks"]),
        *(Paragraph(f"{words['not_scored']}: {_say(language, one.why)}", quiet=True) for one in found.not_scored),
        Heading(words["decisions"]), *([Paragraph(one) for one in decisions] or [Paragraph(words["no_decisions"], quiet=True)]),
    ]  # fmt: skip
    for number, one in enumerate(found.sections, 1):
        blocks += _part(language, number, one)
    return Section(language, f"{words['title']} {found.period}", words["lead"], blocks)


def _part(language: Language, number: int, one: PackSection) -> list[Block]:
    words, lines = _WORDS[language], one.lines_ar if language == "ar" else one.lines
    table = Table(
        words["figure_columns"].split(" | "), [_figure(language, each) for each in one.figures], (2.2, 1.4, 1, 3), words["nothing"]
    )  # fmt: skip
    return [Heading(f"{number}. {one.ar if language == 'ar' else one.en}"), table, *(Paragraph(line) for line in lines)]


def _figure(language: Language, one: RoomFigure) -> list[str]:
    note = _say(language, one.caution) if one.caution else ""
    if not metrics()[one.metric].period:  # it has no past: what it says is of now, whatever the period is
        note = f"{_WORDS[language]['as_of']} {_local(one.as_of)}. {note}".strip()
    if one.value is None:
        why = one.why_ar if language == "ar" else one.why_en
        return [one.ar if language == "ar" else one.en, _WORDS[language]["none"], "-", why]
    named = one.ar if language == "ar" else one.en
    return [
        named,
        f"{figure(one.value, one.unit)} {_say(language, UNITS[one.unit])}".strip(),
        f"{one.counted} / {one.rows}",
        note,
    ]


def _risk(language: Language, one: Risk) -> list[str]:
    return [_say(language, one.title), str(one.likelihood_level), str(one.impact_level), _say(language, one.basis)]


def _amount(language: Language, value: Decimal | None) -> str:
    return _WORDS[language]["none"] if value is None else f"{value:,.2f} {_say(language, UNITS['SAR'])}"


def _say(language: Language, text: Text) -> str:
    return text.ar if language == "ar" else text.en


def _local(at: datetime) -> str:
    return at.astimezone(RIYADH).strftime("%Y-%m-%d %H:%M")
