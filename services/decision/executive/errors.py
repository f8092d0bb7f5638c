"""What executives asked for and can't have, and why."""

from __future__ import annotations

from libs.contracts.errors import Invalid


class NotBegun(Invalid):
    def __init__(self, period: str) -> None:
        super().__init__(
            "period_not_begun",
            f"{period} has not begun: there is nothing to report of it.",
            f"لم تبدأ فترة {period} بعد، ولا شيء يُعرض عنها.",
        )


class NoTrend(Invalid):
    def __init__(self, name: str) -> None:
        super().__init__(
            "no_such_trend",
            f"{name} is not a metric with a period that can be read over time: see /api/v1/metrics-catalog.",
            f"«{name}» ليس مؤشرًا له فترة يمكن عرضها عبر الزمن. انظر دليل المؤشرات.",
        )
