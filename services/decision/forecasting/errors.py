"""What cannot be said about a forecast, and why."""

from __future__ import annotations

from libs.contracts.errors import Invalid, NotFound


class NoForecast(NotFound):
    def __init__(self, month: str) -> None:
        super().__init__(
            "no_forecast",
            f"No forecast of {month} was made before it began, and none could be tested.",
            f"لا يوجد توقع لشهر {month} قبل بدايته، ولا اختبار رجعي له.",
        )


class NotOver(Invalid):
    def __init__(self, month: str) -> None:
        super().__init__(
            "month_not_over",
            f"{month} is not over yet: its gap is known when it ends.",
            f"لم ينتهِ شهر {month} بعد، ويُعرف الفرق بانتهائه.",
        )
