"""Actual vs forecast: the chart beside the tables that hold the same figures."""

from dataclasses import dataclass
from typing import ClassVar

from services.gateway.console.charts import Chart
from services.gateway.console.pages_desk import DeskPage


@dataclass(frozen=True)
class ForecastPage(DeskPage):
    """`legend` names the chart's signs: bar, open, line, band."""

    template: ClassVar[str] = "forecast.html"
    chart: Chart | None = None
    chart_title: str = ""
    chart_said: str = ""
    legend: tuple[tuple[str, str], ...] = ()
