"""What a row of the benchmark found, and how it is kept: JSON and a plot a row, one table of all, a line of history a run."""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

OURS, FLOOR, LEAN, PEER = "dealix", "floor", "lean floor", "peer"
COLOURS = {OURS: "#166a45", FLOOR: "#7d8a84", LEAN: "#a9b8b0", PEER: "#93500a"}


@dataclass(frozen=True)
class Figure:
    """One contestant's measurements of one thing: `samples` in `unit`, of which the median counts."""

    what: str
    who: str
    unit: str
    samples: tuple[float, ...]
    detail: str = ""

    @property
    def value(self) -> float:
        return statistics.median(self.samples)

    @property
    def spread(self) -> tuple[float, float]:
        return min(self.samples), max(self.samples)


@dataclass(frozen=True)
class Target:
    """A ratio that is aimed at, and what it came out as. Never asserted: machines are noisy."""

    text: str
    ratio: float
    wanted: float
    at_most: bool = False

    @property
    def met(self) -> bool:
        return self.ratio <= self.wanted if self.at_most else self.ratio >= self.wanted


@dataclass(frozen=True)
class Row:
    """What one row of the benchmark found."""

    key: str
    title: str
    figures: tuple[Figure, ...]
    targets: tuple[Target, ...] = ()
    notes: tuple[str, ...] = ()
    raw: dict[str, Any] = field(default_factory=dict)
    breakdowns: tuple[tuple[tuple[str, ...], ...], ...] = ()
    """Tables of what costs what, the header first."""


def ratio(figures: Sequence[Figure], what: str, over: str) -> float:
    """Our median over another's, for one thing."""
    by = {figure.who: figure.value for figure in figures if figure.what == what}
    return by[OURS] / by[over]


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least `share` of all do not exceed (nearest rank)."""
    ordered = sorted(samples)
    return ordered[min(len(ordered) - 1, max(0, -int(-share * len(ordered) // 1) - 1))]


def lines(row: Row) -> list[str]:
    """The row as a Markdown table."""
    out = [f"## {row.title}", "", "| what | who | median | lowest | highest | |", "|---|---|---:|---:|---:|---|"]
    for one in row.figures:
        low, high = one.spread
        out.append(
            f"| {one.what} | {one.who} | **{_number(one.value)} {one.unit}** | {_number(low)} | {_number(high)} | {one.detail} |"
        )
    if row.targets:
        out += ["", "| aim | measured | wanted | |", "|---|---:|---:|---|"]
        out += [
            f"| {t.text} | **{t.ratio:.2f}** | {'≤' if t.at_most else '≥'} {t.wanted:g} | {'met' if t.met else 'not met'} |"
            for t in row.targets
        ]
    for header, *rows in row.breakdowns:
        out += ["", f"| {' | '.join(header)} |", f"|---|{'---:|' * (len(header) - 1)}"]
        out += [f"| {' | '.join(cells)} |" for cells in rows]
    return [*out, "", *(f"- {note}" for note in row.notes), *([""] if row.notes else [])]


def keep(row: Row, machine: dict[str, Any], at: datetime, directory: Path) -> None:
    """Write `<key>.json` and `<key>.svg`, add a line to `history.jsonl`, and make `README.md` anew from all rows there are."""
    directory.mkdir(parents=True, exist_ok=True)
    document = {
        "row": row.key,
        "measured_at": at.isoformat(timespec="seconds"),
        "machine": machine,
        "title": row.title,
        "figures": [{**asdict(f), "median": f.value} for f in row.figures],
        "targets": [{**asdict(t), "met": t.met} for t in row.targets],
        "notes": row.notes,
        "breakdowns": row.breakdowns,
        "raw": row.raw,
    }
    (directory / f"{row.key}.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", "utf-8")
    plot(row, directory / f"{row.key}.svg")
    brief = {f"{f.what} · {f.who}": round(f.value, 3) for f in row.figures}
    with (directory / "history.jsonl").open("a", encoding="utf-8") as history:
        told = {"at": document["measured_at"], "row": row.key, "machine": machine, "medians": brief}
        history.write(json.dumps(told, ensure_ascii=False) + "\n")
    _index(directory)


def _index(directory: Path) -> None:
    out = [
        "# Benchmarks",
        "",
        "Made by `make bench`. Each row measures Dealix, a floor that does only the unavoidable work and, where there is one, a peer,",
        "in turns, in one run on one machine: compare within a row, not across machines. The median counts; lowest and highest say how",
        "noisy it was. `history.jsonl` has every run.",
        "",
    ]
    for file in sorted(directory.glob("*.json")):
        kept = json.loads(file.read_text("utf-8"))
        figures = tuple(
            Figure(f["what"], f["who"], f["unit"], tuple(f["samples"]), f["detail"]) for f in kept["figures"]
        )
        targets = tuple(Target(t["text"], t["ratio"], t["wanted"], t["at_most"]) for t in kept["targets"])
        breakdowns = tuple(tuple(tuple(cells) for cells in table) for table in kept.get("breakdowns", ()))
        row = Row(kept["row"], kept["title"], figures, targets, tuple(kept["notes"]), breakdowns=breakdowns)
        out += lines(row)
        machine = kept["machine"]
        out += [
            f"![{row.title}]({row.key}.svg)",
            "",
            f"*{kept['measured_at']} · {machine['cores']} cores, {machine['cpu']}, Python {machine['python']}, load before {machine['load_before']}*",
            "",
        ]
    (directory / "README.md").write_text("\n".join(out).rstrip() + "\n", "utf-8")


def plot(row: Row, file: Path) -> None:
    """One panel a thing and unit, one bar a contestant, whiskers from lowest to highest."""
    import matplotlib as mpl

    mpl.use("svg")
    mpl.rcParams["svg.hashsalt"] = "dealix"
    from matplotlib import pyplot

    things = list(dict.fromkeys((f.what, f.unit) for f in row.figures))
    figure, axes = pyplot.subplots(1, len(things), figsize=(3.2 * len(things), 3.4), squeeze=False)
    for axis, (what, unit) in zip(axes[0], things, strict=True):
        shown = [f for f in row.figures if (f.what, f.unit) == (what, unit)]
        values = [f.value for f in shown]
        whiskers = [[v - f.spread[0] for v, f in zip(values, shown, strict=True)],
                    [f.spread[1] - v for v, f in zip(values, shown, strict=True)]]  # fmt: skip
        bars = axis.bar(
            [f.who for f in shown],
            values,
            yerr=whiskers,
            capsize=4,
            color=[COLOURS.get(f.who, "#4b5a53") for f in shown],
        )
        axis.bar_label(bars, [_number(v) for v in values], padding=3, fontsize=8)
        axis.set_title(f"{what}\n{unit}", fontsize=9)
        axis.tick_params(labelsize=8)
        axis.margins(y=0.18)
        axis.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, metadata={"Date": None})
    pyplot.close(figure)


def _number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"
