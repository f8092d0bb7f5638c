"""Values of metrics, computed by the dictionary's SQL and by nothing else: each plane runs what is defined over its own rows."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from libs.contracts.catalogue.metrics import MetricRule, metrics
from libs.contracts.errors import Invalid, NotFound
from libs.contracts.metrics import (
    CountedReply,
    CountedRequest,
    MetricGet,
    MetricPart,
    MetricRow,
    MetricRowsReply,
    MetricRowsRequest,
    MetricValue,
    PartsReply,
    PartsRequest,
    SeriesPoint,
    SeriesReply,
    SeriesRequest,
)
from libs.contracts.subjects import METRIC_COUNTED, METRIC_PARTS, METRIC_ROWS, METRIC_SERIES, METRICS
from libs.runtime.plane import Runtime

DAYS = 30


class BadPeriod(Invalid):
    def __init__(self) -> None:
        super().__init__("bad_period", "A period begins before it ends.", "بداية الفترة تسبق نهايتها.")


class BadCursor(Invalid):
    def __init__(self) -> None:
        super().__init__("bad_cursor", "This cursor is not one of ours.", "مؤشر الصفحة غير صحيح.")


def serve_metrics(runtime: Runtime) -> None:
    """Answer the plane's call for metrics."""
    served = Metrics(runtime)
    runtime.bus.serve(METRICS[runtime.plane], served.value)
    runtime.bus.serve(METRIC_ROWS[runtime.plane], served.rows)
    if (series := METRIC_SERIES.get(runtime.plane)) is not None:
        runtime.bus.serve(series, served.series)
    if (parts := METRIC_PARTS.get(runtime.plane)) is not None:
        runtime.bus.serve(parts, served.parts)
    if (counted := METRIC_COUNTED.get(runtime.plane)) is not None:
        runtime.bus.serve(counted, served.counted)


class NotCut(NotFound):
    def __init__(self, name: str, by: str) -> None:
        super().__init__("metric_not_cut", f"{name} is not cut by {by}.", f"المؤشر {name} لا يُقسَّم حسب {by}.")


class Metrics:
    """Answers for a plane's metrics by their names."""

    def __init__(self, runtime: Runtime) -> None:
        for rule in metrics().values():  # a wrong catalogue stops the start
            assert rule.sql
        self._runtime = runtime
        self._database = runtime.database

    async def value(self, request: MetricGet) -> MetricValue:
        """Raises NotFound for a name that the dictionary does not have or that another plane answers, BadPeriod."""
        rule, since, until = self._asked(request)
        said = rule.model_dump(
            include={"name", "unit", "en", "ar", "definition_en", "definition_ar", "freshness_hours"}
        )
        tenant, now = request.principal.tenant_id, self._runtime.now()
        asked = await self._database.read(lambda copy: copy.fetchrow(rule.sql, tenant, since, until), tenant)
        row = asked.value
        empty = MetricValue(
            **said, value=None, no_data=True, since=since, until=until, as_of=now - timedelta(seconds=asked.age),
            why_en="There are no records to compute it from in this period.", why_ar="لا توجد سجلات لحسابه في هذه الفترة.",
        )  # fmt: skip
        if not row["rows"] or row["value"] is None:
            return empty
        found: MetricValue = empty.evolve(
            value=Decimal(row["value"]).quantize(_places(rule)), no_data=False, why_en="", why_ar="",
            rows=row["rows"], counted=row["counted"], excluded=row["excluded"],
        )  # fmt: skip
        return found

    async def series(self, request: SeriesRequest) -> SeriesReply:
        """A metric over stretch after stretch, all as of one moment. Raises as `value` does."""
        edges = request.edges
        points = []
        async with self._database.batch(request.principal.tenant_id) as work:
            for since, until in pairwise(edges):
                rule, _, _ = self._asked(
                    MetricGet(principal=request.principal, name=request.name, since=since, until=until)
                )
                row = await work.connection.fetchrow(rule.sql, request.principal.tenant_id, since, until)
                value = (
                    None if not row["rows"] or row["value"] is None else Decimal(row["value"]).quantize(_places(rule))
                )
                points.append(
                    SeriesPoint(
                        since=since, until=until, value=value, rows=row["rows"], counted=row["counted"], excluded=row["excluded"]
                    )
                )  # fmt: skip
        return SeriesReply(name=rule.name, unit=rule.unit, as_of=self._runtime.now(), points=tuple(points))

    async def rows(self, request: MetricRowsRequest) -> MetricRowsReply:
        """The records behind a value, newest first. Raises as `value` does, and BadCursor."""
        rule, since, until = self._asked(request)
        tenant, limit = request.principal.tenant_id, request.page.limit
        at, last = _cursor(request.page.cursor)
        asked = await self._database.read(
            lambda copy: copy.fetch(rule.listing, tenant, since, until, at, last, request.excluded, limit + 1), tenant
        )
        found = asked.value
        items = tuple(MetricRow(kind=r["kind"], id=r["id"], at=r["at"], figure=r["x"]) for r in found[:limit])
        more = None
        if len(found) > limit:
            more = f"{items[-1].at.isoformat() if items[-1].at else ''}|{items[-1].id}"
        return MetricRowsReply(items=items, next_cursor=more)

    async def parts(self, request: PartsRequest) -> PartsReply:
        """A value part by part. Raises as `value` does, NotCut, and BadCursor."""
        rule, since, until = self._asked(request)
        if request.by not in rule.cut:
            raise NotCut(rule.name, request.by)
        tenant, limit = request.principal.tenant_id, request.page.limit
        value, last = _part_cursor(request.page.cursor)
        asked = await self._database.read(
            lambda copy: copy.fetch(
                rule.parted(request.by), tenant, since, until, request.part, value, last, limit + 1
            ),
            tenant,
        )
        items = tuple(
            MetricPart(
                part=row["part"], value=None if row["value"] is None else Decimal(row["value"]).quantize(_places(rule)), rows=row["rows"],
                counted=row["counted"], excluded=row["excluded"],
            )
            for row in asked.value[:limit]
        )  # fmt: skip
        more = asked.value[limit - 1] if len(asked.value) > limit else None
        return PartsReply(
            name=rule.name, unit=rule.unit, since=since, until=until, as_of=self._runtime.now() - timedelta(seconds=asked.age), items=items,
            next_cursor=None if more is None else f"{'' if more['value'] is None else more['value']}|{more['part']}",
        )  # fmt: skip

    async def counted(self, request: CountedRequest) -> CountedReply:
        """Which of the named records a value rests on. Raises as `value` does."""
        rule, since, until = self._asked(request)
        tenant = request.principal.tenant_id
        asked = await self._database.read(
            lambda copy: copy.fetch(rule.counting, tenant, since, until, list(request.ids)), tenant
        )
        return CountedReply(ids=tuple(row["id"] for row in asked.value))

    def _asked(
        self, request: MetricGet | MetricRowsRequest | PartsRequest | CountedRequest
    ) -> tuple[MetricRule, datetime, datetime]:
        rule = metrics().get(request.name)
        if rule is None or rule.plane is not self._runtime.plane:
            raise NotFound("no_such_metric", "There is no metric of this name.", "لا يوجد مؤشر بهذا الاسم.")
        until = request.until or self._runtime.now()
        since = request.since or until - timedelta(days=DAYS)
        if since >= until:
            raise BadPeriod
        return rule, since, until


def _places(rule: MetricRule) -> Decimal:
    return Decimal("0.01") if rule.unit == "SAR" else Decimal("0.0001")


def _cursor(text: str | None) -> tuple[datetime | None, str | None]:
    """When and which the last page ended with."""
    if not text:
        return None, None
    at, _, last = text.partition("|")
    try:
        return datetime.fromisoformat(at) if at else None, last or None
    except ValueError as error:
        raise BadCursor from error


def _part_cursor(text: str | None) -> tuple[Decimal | None, str | None]:
    """The value and the part that the last page ended with."""
    if not text:
        return None, None
    value, _, last = text.partition("|")
    try:
        return Decimal(value) if value else None, last or None
    except ArithmeticError as error:
        raise BadCursor from error
