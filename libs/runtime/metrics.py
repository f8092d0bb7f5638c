"""Values of metrics, computed by the dictionary's SQL and by nothing else: each plane runs what is defined over its own rows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from libs.contracts.catalogue.metrics import metrics
from libs.contracts.errors import Invalid, NotFound
from libs.contracts.metrics import MetricGet, MetricValue
from libs.contracts.subjects import METRICS
from libs.runtime.plane import Runtime

DAYS = 30


class BadPeriod(Invalid):
    def __init__(self) -> None:
        super().__init__("bad_period", "A period begins before it ends.", "بداية الفترة تسبق نهايتها.")


def serve_metrics(runtime: Runtime) -> None:
    """Answer the plane's call for metrics."""
    runtime.bus.serve(METRICS[runtime.plane], Metrics(runtime).value)


class Metrics:
    """Answers for a plane's metrics by their names."""

    def __init__(self, runtime: Runtime) -> None:
        metrics()  # a wrong catalogue stops the start
        self._runtime = runtime
        self._database = runtime.database

    async def value(self, request: MetricGet) -> MetricValue:
        """Raises NotFound for a name that the dictionary does not have or that another plane answers, BadPeriod."""
        rule = metrics().get(request.name)
        if rule is None or rule.plane is not self._runtime.plane:
            raise NotFound("no_such_metric", "There is no metric of this name.", "لا يوجد مؤشر بهذا الاسم.")
        now = self._runtime.now()
        until = request.until or now
        since = request.since or until - timedelta(days=DAYS)
        if since >= until:
            raise BadPeriod
        said = rule.model_dump(
            include={"name", "unit", "en", "ar", "definition_en", "definition_ar", "freshness_hours"}
        )
        empty = MetricValue(
            **said, value=None, no_data=True, since=since, until=until, as_of=now,
            why_en="There are no records to compute it from in this period.", why_ar="لا توجد سجلات لحسابه في هذه الفترة.",
        )  # fmt: skip
        if not rule.sql:
            lacking: MetricValue = empty.evolve(
                why_en=f"Not collected yet: {rule.missing}.", why_ar=f"لم تُجمع بياناته بعد: {rule.missing_ar}."
            )
            return lacking
        tenant = request.principal.tenant_id
        async with self._database.batch(tenant) as work:
            row = await work.connection.fetchrow(rule.sql, tenant, since, until)
        if not row["rows"] or row["value"] is None:
            return empty
        places = Decimal("0.01") if rule.unit == "SAR" else Decimal("0.0001")
        return MetricValue(
            **said, value=Decimal(row["value"]).quantize(places), no_data=False, since=since, until=until, as_of=now,
            rows=row["rows"], counted=row["counted"], excluded=row["excluded"],
        )  # fmt: skip
