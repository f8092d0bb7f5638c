"""The executive room: are we on plan, and what threatens it; and the risk heat map: what first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Annotated, cast

from babel.dates import format_date
from fastapi import APIRouter, Query
from starlette.responses import Response

from libs.contracts.business_time import RIYADH
from libs.contracts.catalogue.metrics import metrics
from libs.contracts.executive import (
    ExecutiveRoom,
    ExecutiveRoomRequest,
    Level,
    NotScored,
    Plan,
    Risk,
    RoomFigure,
    Source,
)
from libs.contracts.message import Page
from libs.contracts.risk_map import RiskMap, RiskMapRequest
from libs.contracts.subjects import EXECUTIVE_ROOM, RISK_MAP
from services.gateway.console.actors import RECORD
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskPage, Section, Tile
from services.gateway.console.pages_executive import HeatmapPage, HeatRow, HeatSquare
from services.gateway.console.routes.contradictions import SEVERITIES
from services.gateway.console.routes.insight import tile
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab, Tone
from services.gateway.figures import number
from services.gateway.http.guards import require

router = APIRouter()

Reading = require("read", reading=True)
SOURCES = {
    Source.CONTRADICTION: ("تناقض", "Contradiction"), Source.CONTROL: ("امتثال", "Compliance"), Source.APPROVAL: ("قرار", "Decision"),
    Source.DEAL: ("صفقة", "Deal"), Source.CUSTOMER: ("عميل", "Customer"),
}  # fmt: skip
LIKELIHOODS = (("نادر", "Rare"), ("مستبعد", "Unlikely"), ("ممكن", "Possible"), ("مرجّح", "Likely"), ("شبه مؤكد", "Almost certain"))  # fmt: skip
IMPACTS = (("ضئيل", "Slight"), ("محدود", "Minor"), ("متوسط", "Moderate"), ("كبير", "Major"), ("جسيم", "Severe"))
SILENT = {
    "contradictions": ("التناقضات", "contradictions"), "decisions": ("القرارات", "decisions"), "plan": ("الخطة", "the plan"),
}  # fmt: skip
HIGH, MEDIUM = 15, 8
"""Scores at which a place on the map is high or medium."""
SHOWN = 50


@router.get(PATHS["executive"], dependencies=[Reading])
async def room(desk: DeskDep) -> Response:
    """Every part says by itself when it could not be read."""
    found: ExecutiveRoom = await desk.call(EXECUTIVE_ROOM, ExecutiveRoomRequest(principal=desk.who))
    return await desk.show(room_page(desk, found))


@router.get(PATHS["heatmap"], dependencies=[Reading])
async def heatmap(
    desk: DeskDep,
    likelihood: Annotated[int | None, Query(ge=1, le=5)] = None,
    impact: Annotated[int | None, Query(ge=1, le=5)] = None,
    cursor: Annotated[str, Query(max_length=20)] = "",
) -> Response:
    asked = RiskMapRequest(
        principal=desk.who, likelihood=cast(Level | None, likelihood), impact=cast(Level | None, impact), page=Page(limit=SHOWN, cursor=cursor or None)
    )  # fmt: skip
    return await desk.show(heatmap_page(desk, await desk.call(RISK_MAP, asked), likelihood, impact))


def room_page(desk: Desk, found: ExecutiveRoom) -> DeskPage:
    """The room in the order in which it is asked: the plan, what threatens it, what waits, the figures, what is disputed."""
    silent = ""
    if found.silent:
        named = desk.say("، ", ", ").join(desk.say(*SILENT[one]) for one in found.silent)
        silent = desk.say(f"تعذّرت قراءة: {named}. الباقي كما هو.", f"Could not be read: {named}. The rest stands.")
    worst = _risks(
        desk, desk.say("أهم المخاطر", "Worst risks"), found.top_risks, found.not_scored, {desk.say("خريطة المخاطر", "Risk heat map"): url("heatmap")}
    )  # fmt: skip
    return DeskPage(
        "executive", desk.say("الغرفة التنفيذية", "Executive Room"),
        (*_plan(desk, found.plan), worst, _decisions(desk, found), _figures(desk, found), _contradictions(desk, found), _pack(desk)),
        _tabs(desk, "executive"), desk.say("الغرفة التنفيذية", "Executive Room"), error=silent,
    )  # fmt: skip


def heatmap_page(desk: Desk, found: RiskMap, likelihood: int | None, impact: int | None) -> HeatmapPage:
    """The grid with the chosen cell marked, and the risks in it."""
    at = f"{found.scored_at.astimezone(RIYADH):%H:%M}"
    counted = {(one.likelihood, one.impact): one.count for one in found.cells}

    def square(a: Level, b: Level) -> HeatSquare:
        count = counted.get((a, b), 0)
        said = desk.say(
            f"الاحتمال {LIKELIHOODS[a - 1][0]}، الأثر {IMPACTS[b - 1][0]}: {count}",
            f"Likelihood {LIKELIHOODS[a - 1][1]}, impact {IMPACTS[b - 1][1]}: {count}",
        )
        return HeatSquare(
            count, _tone(a * b), url("heatmap", likelihood=a, impact=b), said, (a, b) == (likelihood, impact)
        )

    levels: tuple[Level, ...] = (1, 2, 3, 4, 5)
    rows = tuple(HeatRow(desk.say(*LIKELIHOODS[a - 1]), tuple(square(a, b) for b in levels)) for a in reversed(levels))
    chosen = likelihood is not None and impact is not None
    title = desk.say("المخاطر في هذه الخانة", "Risks in this cell") if chosen else desk.say("كل المخاطر", "All risks")
    more = url("heatmap", likelihood=likelihood, impact=impact, cursor=found.next_cursor) if found.next_cursor else ""
    links = {desk.say("المزيد", "More"): more} if more else {}
    listed = _risks(desk, title, found.items, found.not_scored, links)
    return HeatmapPage(
        "executive", desk.say("خريطة المخاطر", "Risk heat map"), (listed,), _tabs(desk, "heatmap"), desk.say("الغرفة التنفيذية", "Executive Room"),
        heat_title=desk.say("الاحتمال × الأثر", "Likelihood × impact"),
        heat_said=desk.say(f"الرقم عدد المخاطر. قُدّرت الساعة {at}.", f"The number is how many risks there are. Scored at {at}."),
        corner=desk.say("الاحتمال", "Likelihood"), columns=tuple(desk.say(*one) for one in IMPACTS), rows=rows,
    )  # fmt: skip


def _tabs(desk: Desk, active: str) -> tuple[Tab, ...]:
    named = (
        ("executive", "الغرفة التنفيذية", "Executive Room"),
        ("heatmap", "خريطة المخاطر", "Risk heat map"),
        ("memos", "المذكرات", "Memos"),
    )
    return tuple(Tab(key, desk.say(ar, en), url(key), key == active) for key, ar, en in named)


def _plan(desk: Desk, plan: Plan | None) -> tuple[Section, ...]:
    if plan is None:
        return ()
    rule = metrics()[plan.metric]
    definition, unit, href = desk.say(rule.definition_ar, rule.definition_en), desk.say("ر.س", "SAR"), url("forecast")
    nothing = desk.say("لا توقع محفوظ.", "No forecast is on record.")
    month = format_date(plan.since.astimezone(RIYADH).date(), "MMMM y", locale=desk.lang)
    why = desk.say(plan.why.ar, plan.why.en) if plan.why else nothing
    between = _between(desk, plan.low, plan.high) or why
    ahead = plan.next_month
    expected_ahead = _between(desk, ahead.low, ahead.high) if ahead else nothing
    figures = (
        ("plan-actual", desk.say("الفعلي هذا الشهر", "Actual this month"), plan.actual, desk.say(f"{month} حتى الآن", f"{month} so far"), url("metric_rows", plan.metric)),
        ("plan-expected", desk.say("المتوقع قبل بدايته", "Forecast before it began"), plan.expected, between, href),
        ("plan-ahead", desk.say("المتوقع للشهر القادم", "Forecast for next month"), ahead.expected if ahead else None, expected_ahead, href),
    )  # fmt: skip
    tiles = tuple(
        Tile(key, label, _money(value), unit, definition, note, to) for key, label, value, note, to in figures
    )
    parts = [Section(desk.say("هل نحن على الخطة؟", "Are we on plan?"), tiles=tiles)]
    if plan.last is not None:
        named = f"{plan.last.since.astimezone(RIYADH):%Y-%m}"
        rows = tuple((Cell(desk.say(one.ar, one.en)), Cell(f"{one.variance:+,.2f}", "ltr"), Cell(str(one.deals), "ltr")) for one in plan.last.causes)  # fmt: skip
        facts = (
            (desk.say("الشهر", "Month"), Cell(named, "ltr")), (desk.say("الفعلي", "Actual"), Cell(_money(plan.last.actual), "ltr")),
            (desk.say("المتوقع", "Forecast"), Cell(_money(plan.last.expected), "ltr")), (desk.say("الفرق", "Gap"), Cell(f"{plan.last.variance:+,.2f}", "ltr")),
        )  # fmt: skip
        columns = (desk.say("السبب", "Cause"), desk.say("الفرق", "Gap"), desk.say("الصفقات", "Deals"))
        title = desk.say("من أين جاء فرق الشهر الماضي؟", "Where did last month's gap come from?")
        parts.append(Section(title, facts=facts, columns=columns, rows=rows, links={desk.say("التفصيل", "In detail"): url("forecast", month=named)}))  # fmt: skip
    return tuple(parts)


def _risks(
    desk: Desk, title: str, found: tuple[Risk, ...], missing: tuple[NotScored, ...], links: Mapping[str, str]
) -> Section:
    rows = tuple(
        (
            Cell(desk.say(one.title.ar, one.title.en), href=_place(one)),
            Cell(f"{one.product} / 25", tone=_tone(one.product)),
            Cell(desk.say(*LIKELIHOODS[one.likelihood_level - 1])), Cell(desk.say(*IMPACTS[one.impact_level - 1])),
            Cell(desk.say(one.basis.ar, one.basis.en)), Cell(_money(one.amount), "ltr"),
        )
        for one in found
    )  # fmt: skip
    columns = (
        desk.say("المخاطرة", "Risk"), desk.say("الدرجة", "Score"), desk.say("الاحتمال", "Likelihood"), desk.say("الأثر", "Impact"),
        desk.say("الأساس", "Basis"), desk.say("على المحك (ر.س)", "At stake (SAR)"),
    )  # fmt: skip
    unscored = " ".join(f"{desk.say(*SOURCES[one.source])}: {desk.say(one.why.ar, one.why.en)}" for one in missing)
    said = desk.say(f"ما لم يُقدَّر: {unscored}", f"Not scored: {unscored}") if unscored else ""
    return Section(
        title, said, columns=columns, rows=rows, links=links, empty=desk.say("لا مخاطر فيما أمكنت قراءته.", "No risk could be found in what was read."),
    )  # fmt: skip


def _tone(score: int) -> Tone:
    return "high" if score >= HIGH else "medium" if score >= MEDIUM else "low"


def _place(one: Risk) -> str:
    return url("account" if one.source is Source.CUSTOMER else one.source.value, one.id)


def _decisions(desk: Desk, found: ExecutiveRoom) -> Section:
    late = desk.say("فات الموعد", "Late")
    rows = tuple(
        (
            Cell(desk.say(one.title.ar, one.title.en), href=url("approval", str(one.approval_id))),
            Cell(late, tone="high") if one.late else Cell(one.due_at, "moment"), Cell(_money(Decimal(one.value_sar)) if one.value_sar else "", "ltr"),
        )
        for one in found.decisions
    )  # fmt: skip
    columns = (desk.say("القرار", "Decision"), desk.say("الموعد", "Due"), desk.say("القيمة (ر.س)", "Value (SAR)"))
    return Section(
        _counted(desk.say("قرارات بانتظار الحسم", "Decisions that wait"), found.pending_decisions), columns=columns, rows=rows,
        empty=desk.say("لا قرارات معلّقة.", "No decision waits."), links={desk.say("مركز الموافقات", "Approval Center"): url("approvals")},
    )  # fmt: skip


def _figures(desk: Desk, found: ExecutiveRoom) -> Section:
    shown = sorted(found.kpis, key=lambda one: one.value is None)
    sure = f"{found.provenance.confidence:.0%}"
    said = desk.say(f"{sure} منها ببيانات لا خلاف عليها.", f"{sure} of them have data that nothing contradicts.")
    return Section(desk.say("المؤشرات", "Figures"), said, tiles=tuple(_tile(desk, one) for one in shown))


def _tile(desk: Desk, one: RoomFigure) -> Tile:
    """The metric's tile, with what speaks against it."""
    shown = tile(desk, metrics()[one.metric], one)
    if one.caution is None:
        return shown
    dispute = url("contradiction", str(one.disputed[0].contradiction_id)) if one.disputed else ""
    return replace(shown, caution=desk.say(one.caution.ar, one.caution.en), caution_href=dispute)


def _contradictions(desk: Desk, found: ExecutiveRoom) -> Section:
    rows = []
    for one in found.open_contradictions:
        ar, en, tone = SEVERITIES.get(one.severity, SEVERITIES["high"])
        about = Cell(_about(desk, one.subject), href=url("contradiction", str(one.contradiction_id)))
        rows.append((about, Cell(desk.say(ar, en), tone=tone), Cell(one.opened_at, "moment")))
    columns = (desk.say("بشأن", "About"), desk.say("الخطورة", "Severity"), desk.say("فُتح", "Opened"))
    return Section(
        _counted(desk.say("تناقضات لم تُحسم", "Open contradictions"), found.contradictions), columns=columns, rows=tuple(rows),
        empty=desk.say("لا تناقضات مفتوحة.", "No contradiction is open."), links={desk.say("كل التناقضات", "All contradictions"): url("contradictions")},
    )  # fmt: skip


def _counted(title: str, count: int | None) -> str:
    """A list's title with how many there are; without where nobody knows."""
    return title if count is None else f"{title} ({count})"


def _about(desk: Desk, subject: str) -> str:
    """What a contradiction is about: a figure by its name, anything else by its kind. Records that have a page are named when it is shown."""
    kind, _, id = subject.partition(":")
    if RECORD.fullmatch(subject):
        return subject
    if kind == "metric" and id in metrics():
        return desk.say(metrics()[id].ar, metrics()[id].en)
    ar, en = KINDS.get(kind, (kind, kind))
    return f"{desk.say(ar, en)} …{id[-6:]}" if id else desk.say(ar, en)


KINDS = {
    "product": ("منتج", "Product"), "service": ("خدمة", "Service"), "partner": ("شريك", "Partner"), "invoice": ("فاتورة", "Invoice"),
}  # fmt: skip


def _pack(desk: Desk) -> Section:
    said = desk.say(
        "ثمانية أقسام للشهر الذي انتهى، بالعربية والإنجليزية، ومع كل رقم عدد سجلاته وما يعارضه.",
        "Eight sections of the month that ended, in Arabic and English, each figure with its records and what contradicts it.",
    )
    return Section(desk.say("ملف مجلس الإدارة", "Board pack"), said, links={desk.say("نزّل الملف (PDF)", "Download it (PDF)"): url("board_pack_pdf")})  # fmt: skip


def _money(value: Decimal | None) -> str:
    return "" if value is None else number(value)


def _between(desk: Desk, low: Decimal | None, high: Decimal | None) -> str:
    if low is None or high is None:
        return ""
    return desk.say(f"بين {_money(low)} و{_money(high)}", f"between {_money(low)} and {_money(high)}")
