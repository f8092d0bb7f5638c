"""The risk heat map: a grid of counts beside the list of what stands in it."""

from dataclasses import dataclass
from typing import ClassVar

from services.gateway.console.pages_desk import DeskPage


@dataclass(frozen=True)
class HeatSquare:
    """One cell. `tone` is how bad a risk there is, `said` its place in words for who can't see where it stands."""

    count: int
    tone: str
    href: str
    said: str
    chosen: bool = False


@dataclass(frozen=True)
class HeatRow:
    label: str
    squares: tuple[HeatSquare, ...]


@dataclass(frozen=True)
class HeatmapPage(DeskPage):
    """`rows` from the most likely down, `columns` from the least impact on."""

    template: ClassVar[str] = "heatmap.html"
    heat_title: str = ""
    heat_said: str = ""
    corner: str = ""
    columns: tuple[str, ...] = ()
    rows: tuple[HeatRow, ...] = ()
