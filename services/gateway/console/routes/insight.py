"""Numbers and sources: metrics with their definitions, data quality, and where something came from."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from libs.contracts.arabic import RECORDS
from libs.contracts.catalogue.lineage import lineage as words
from libs.contracts.catalogue.metrics import MetricRule, metrics
from libs.contracts.errors import DealixError
from libs.contracts.executive import RoomFigure
from libs.contracts.metrics import MetricGet, MetricValue
from libs.contracts.quality import QualityReply, QualityRequest, QualityStanding
from libs.contracts.subjects import DATA_QUALITY, METRICS
from services.gateway.console.desk import Desk, DeskDep
from services.gateway.console.pages_desk import Cell, DeskForm, DeskPage, Input, Section, Tile
from services.gateway.console.urls import PATHS, url
from services.gateway.console.views import Tab
from services.gateway.figures import UNITS, figure
from services.gateway.http.guards import allowed, require
from services.gateway.http.lineage import Traced, trace
from services.gateway.lineage import LineageWalk

router = APIRouter()

Reading = require("read", reading=True)
TRACKS = {
    "revenue": ("الإيرادات", "Revenue"), "intelligence": ("الذكاء", "Intelligence"), "compliance": ("الامتثال", "Compliance"),
    "expansion": ("التوسع", "Expansion"), "operations": ("التشغيل", "Operations"), "trust": ("الثقة", "Trust"),
}  # fmt: skip
STATES = {"ok": ("سليم", "As it should be", "low"), "below": ("دون المستهدف", "Below the goal", "high"), "no_data": ("لا بيانات", "No data", "neutral")}  # fmt: skip
DIMENSIONS = {
    "completeness": ("الاكتمال", "Completeness"), "validity": ("الصحة", "Validity"), "uniqueness": ("عدم التكرار", "Uniqueness"),
    "freshness": ("الحداثة", "Freshness"), "referential": ("الترابط", "References"), "source": ("المصدر", "Source"), "drift": ("التغيّر", "Drift"),
}  # fmt: skip
SAMPLED = {"contacts": "contact", "accounts": "account", "leads": "lead", "deals": "deal", "import_rows": "import"}
"""Which lineage kind the ids of a table's failing rows have."""


def tabs(desk: Desk, active: str) -> tuple[Tab, ...]:
    named = (
        ("numbers", "المؤشرات", "Metrics"),
        ("trends", "عبر الزمن", "Over time"), ("attributions", "مصدر الصفقات", "Attribution"),
        ("forecast", "الفعلي والمتوقع", "Actual vs forecast"),
        ("data_quality", "جودة البيانات", "Data quality"), ("lineage", "أصل الأرقام", "Lineage"),
        ("knowledge", "المعرفة", "Knowledge"),
    )  # fmt: skip
    return tuple(Tab(key, desk.say(ar, en), url(key), key == active) for key, ar, en in named)


async def shown(desk: Desk, key: str, title: str, *sections: Section, error: str = "", status: int = 200) -> Response:
    places = desk.say("الأرقام والمصادر", "Numbers and sources")
    page = DeskPage("numbers", title, sections, tabs(desk, key), places, error)
    return await desk.show(page, status=status)


# -- metrics -----------------------------------------------------------------------------------------------------------


@router.get(PATHS["numbers"], dependencies=[Reading])
async def numbers(desk: DeskDep) -> Response:
    """Every metric of the last 30 days. One that cannot be read says so; the others are shown."""
    found = dict(
        zip(metrics(), await asyncio.gather(*(value_of(desk, rule) for rule in metrics().values())), strict=True)
    )
    sections = []
    for track, named in TRACKS.items():
        tiles = tuple(tile(desk, rule, found[name]) for name, rule in metrics().items() if rule.track == track)
        tiles = tuple(sorted(tiles, key=lambda one: not one.value))
        sections.append(Section(desk.say(*named), tiles=tiles))
    return await shown(desk, "numbers", desk.say("المؤشرات", "Metrics"), *sections)


async def value_of(desk: Desk, rule: MetricRule) -> MetricValue | None:
    """A metric's value; None where its plane does not answer."""
    try:
        value: MetricValue = await desk.call(METRICS[rule.plane], MetricGet(principal=desk.who, name=rule.name))
    except DealixError:
        return None
    return value


def tile(desk: Desk, rule: MetricRule, found: MetricValue | RoomFigure | None) -> Tile:
    """A metric as a tile: its definition on hover, and the way to its rows."""
    value, unit, href = "", desk.say(UNITS[rule.unit].ar, UNITS[rule.unit].en), ""
    if found is None:
        note = desk.say("تعذّرت قراءته الآن.", "It could not be read just now.")
    elif found.value is None:
        note = desk.say(found.why_ar, found.why_en)
    else:
        href = url("metric_rows", rule.name)
        value = figure(found.value, rule.unit)
        note = desk.say(f"محسوب من {found.counted:,} من أصل {RECORDS(found.rows)}", f"from {found.counted:,} of {found.rows:,} records")  # fmt: skip
        if rule.period:
            note += desk.say("، آخر 30 يومًا", ", last 30 days")
    return Tile(rule.name, desk.say(rule.ar, rule.en), value, unit, desk.say(rule.definition_ar, rule.definition_en), note, href)  # fmt: skip


# -- data quality ------------------------------------------------------------------------------------------------------


@router.get(PATHS["data_quality"], dependencies=[Reading])
async def data_quality(desk: DeskDep) -> Response:
    return await _quality(desk, await desk.call(DATA_QUALITY, QualityRequest(principal=desk.who)))


@router.post(PATHS["data_quality_run"], dependencies=[require("import")])
async def data_quality_run(desk: DeskDep) -> Response:
    await desk.call(DATA_QUALITY, QualityRequest(principal=desk.who, now=True))
    return desk.go("data_quality")


async def _quality(desk: Desk, found: QualityReply) -> Response:
    order = ("below", "no_data", "ok")
    rows = tuple(
        _check(desk, one) for one in sorted(found.items, key=lambda one: (order.index(one.state.value), one.dimension))
    )
    columns = (
        desk.say("الفحص", "Check"), desk.say("الحالة", "State"), desk.say("السليم", "Right"), desk.say("المستهدف", "Goal"),
        desk.say("المخالف من الصفوف", "Failed of rows"), desk.say("النوع", "Kind"), desk.say("قبلها", "Before"), desk.say("مثال", "Example"),
        desk.say("آخر فحص", "Looked at"),
    )  # fmt: skip
    run = DeskForm("run", url("data_quality_run"), desk.say("افحص الآن", "Look now"))
    section = Section(
        desk.say("الفحوص", "Checks"),
        desk.say("تُفحص السجلات كل 6 ساعات. ما لا سجلات له لا يُعدّ سليمًا.", "Records are looked at every six hours. Nothing to look at is not a pass."),
        columns=columns, rows=rows, forms=(run,) if allowed(desk.who, "import") else (),
    )  # fmt: skip
    return await shown(desk, "data_quality", desk.say("جودة البيانات", "Data quality"), section)


def _check(desk: Desk, one: QualityStanding) -> tuple[Cell, ...]:
    ar, en, tone = STATES[one.state.value]
    latest = one.latest
    before = next((point for point in one.trend if point.share is not None), None)
    example = Cell("")
    if one.sample and one.table in SAMPLED:
        example = Cell(desk.say("افتح أصله", "Open"), href=url("lineage", kind=SAMPLED[one.table], id_=one.sample[0]))
    return (
        Cell(desk.say(one.ar, one.en)), Cell(desk.say(ar, en), tone=tone),  # type: ignore[arg-type]  # tones of the table above
        Cell(f"{latest.share:.1%}" if latest and latest.share is not None else "", "ltr"), Cell(f"{one.goal:.0%}", "ltr"),
        Cell(f"{latest.failed} / {latest.rows}" if latest and latest.rows else "", "ltr"), Cell(desk.say(*DIMENSIONS[one.dimension])),
        Cell(f"{before.share:.1%}" if before and before.share is not None else "", "ltr"), example,
        Cell(latest.at if latest else None, "moment"),
    )  # fmt: skip


# -- lineage -----------------------------------------------------------------------------------------------------------


@router.get(PATHS["lineage"], dependencies=[Reading])
async def lineage(
    desk: DeskDep,
    kind: Annotated[str, Query(max_length=30)] = "card",
    id_: Annotated[str, Query(max_length=60)] = "",
) -> Response:
    """What something came from and what it caused; without an id, the question."""
    kinds = tuple((key, desk.say(one.ar, one.en)) for key, one in words().kinds.items())
    inputs = (
        Input("kind", desk.say("النوع", "Kind"), "select", kind, options=kinds),
        Input("id_", desk.say("المعرّف", "Id"), value=id_, ltr=True),
    )
    ask = Section(
        desk.say("من أين جاء؟ وماذا نتج عنه؟", "Where did it come from, and what did it cause?"),
        desk.say("لصف من ملف: معرّف الاستيراد ثم نقطتان ثم رقم الصف.", "For a row of a file: the import's id, a colon and the row's number."),
        forms=(DeskForm("ask", url("lineage"), desk.say("تتبّع", "Trace"), inputs, get=True),),
    )  # fmt: skip
    title = desk.say("أصل الأرقام", "Lineage")
    if not id_:
        return await shown(desk, "lineage", title, ask)
    try:
        found = await trace(desk.gateway, desk.who, kind, id_.strip())
    except DealixError as error:
        return await shown(desk, "lineage", title, ask, error=desk.error(error), status=error.status)
    return await shown(desk, "lineage", title, *_traced(desk, found), ask)


def _traced(desk: Desk, found: Traced) -> tuple[Section, ...]:
    named = words().kinds[found.kind]
    facts = (
        (desk.say("النوع", "Kind"), Cell(desk.say(named.ar, named.en))), (desk.say("العنوان", "Title"), Cell(desk.say(found.ar, found.en))),
        (desk.say("المعرّف", "Id"), Cell(found.id, "ltr")),
    )  # fmt: skip
    return (
        Section(desk.say("هذا", "This"), facts=facts),
        _walk(desk, desk.say("جاء من", "Came from"), found.came_from, desk.say("لا أصل له هنا.", "It came from nothing here.")),
        _walk(desk, desk.say("نتج عنه", "Caused"), found.caused, desk.say("لم ينتج عنه شيء بعد.", "It has caused nothing yet.")),
    )  # fmt: skip


def _walk(desk: Desk, title: str, walked: LineageWalk, empty: str) -> Section:
    said = []
    if walked.cut:
        said.append(desk.say("يوجد أكثر مما عُرض.", "There is more than is shown."))
    if walked.silent:
        said.append(
            desk.say("لم ترد كل الخدمات، فقد ينقص شيء: ", "A plane did not answer, something may be missing: ")
            + ", ".join(walked.silent)
        )
    rows = []
    for step in walked.steps:
        kind, joined = words().kinds[step.kind], words().kinds[step.joined_to.kind]
        how = words().hows[step.how]
        rows.append((
            Cell(desk.say(kind.ar, kind.en)),
            Cell(desk.say(step.ar, step.en) or step.id[:13], href=url("lineage", kind=step.kind, id_=step.id)),
            Cell(f"{desk.say(how.ar, how.en)} · {desk.say(joined.ar, joined.en)}"), Cell(step.at, "moment"),
        ))  # fmt: skip
    columns = (desk.say("النوع", "Kind"), desk.say("العنوان", "Title"), desk.say("الصلة", "Joined by"), desk.say("الوقت", "When"))  # fmt: skip
    return Section(title, " ".join(said), columns=columns, rows=tuple(rows), empty=empty)
