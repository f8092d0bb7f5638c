"""Draws the shipped dashboards from a Prometheus that scrapes a running system, one PNG a dashboard: for the documentation.

python -m dev.deploy.pictures --prometheus http://127.0.0.1:9099 --minutes 15 --out docs/images
python -m dev.deploy.pictures --configuration 9101 > prometheus.yaml     how to scrape a `dealix up` with DEALIX_HEALTH_PORTS=9101

Nothing is made up: every line is the answer to the panel's own expression, and a panel without an answer says so.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import matplotlib
import yaml

from dev.deploy import objectives
from dev.secrets import PLANES

matplotlib.use("Agg")
from matplotlib import pyplot  # after the choice of a back end without a screen

LINES = 12
"""Lines of one panel that are drawn: the highest, and the title says how many there were."""
_UNITS = {"reqps": "per second", "s": "seconds", "percentunit": "share", "short": ""}


def configuration(first_port: int) -> str:
    """A Prometheus configuration for a system on this machine; the rules lie beside it in `rules.yaml`."""
    jobs = [
        {
            "job_name": "planes",
            "scrape_interval": "5s",
            "static_configs": [
                {"targets": [f"127.0.0.1:{first_port + number}"], "labels": {"pod": plane}}
                for number, plane in enumerate(PLANES)
            ],
        }
    ]
    made = {"global": {"evaluation_interval": "15s"}, "rule_files": ["rules.yaml"], "scrape_configs": jobs}
    return yaml.safe_dump(made, sort_keys=False)


def answer(client: httpx.Client, expression: str, since: float, until: float) -> list[tuple[dict[str, str], list[Any]]]:
    """The series of an expression: labels, and (time, value) pairs. Raises httpx.HTTPError, ValueError with Prometheus' words."""
    step = max((until - since) / 240, 1)
    said = client.get(
        "/api/v1/query_range", params={"query": expression, "start": since, "end": until, "step": f"{step:.0f}"}
    ).json()
    if said.get("status") != "success":
        raise ValueError(f"{expression}: {said.get('error')}")
    return [(one["metric"], one["values"]) for one in said["data"]["result"]]


def _number(pair: Sequence[Any], otherwise: float = -math.inf) -> float:
    """The value of a (time, value) pair; what is not finite has no place on an axis."""
    value = float(pair[1])
    return value if math.isfinite(value) else otherwise


def legend(pattern: str, labels: Mapping[str, str]) -> str:
    """Grafana's way of naming a line."""
    return re.sub(r"\{\{\s*(\w+)\s*\}\}", lambda found: labels.get(found[1], ""), pattern).strip() or "value"


def draw(client: httpx.Client, board: Mapping[str, Any], since: float, until: float, file: Path) -> int:
    """One picture of all panels of a dashboard. Returns how many have something to show."""
    panels = board["panels"]
    rows = (len(panels) + 1) // 2
    figure, places = pyplot.subplots(rows, 2, figsize=(15, 3.1 * rows), squeeze=False, layout="constrained")
    when = f"{time.strftime('%Y-%m-%d %H:%M', time.gmtime(since))} to {time.strftime('%H:%M', time.gmtime(until))} UTC"
    figure.suptitle(f"{board['title']}   {when}", fontsize=13)
    shown = 0
    for place, panel in zip(places.flat, panels, strict=False):
        found = answer(client, panel["targets"][0]["expr"], since, until)
        found = sorted(found, key=lambda one: -max(map(_number, one[1])))
        left_out = f"  ({LINES} of {len(found)} lines)" if len(found) > LINES else ""
        place.set_title(panel["title"] + left_out, fontsize=9, loc="left")
        for labels, values in found[:LINES]:
            place.plot(
                [value[0] for value in values], [_number(value, math.nan) for value in values], linewidth=1.1,
                label=legend(panel["targets"][0]["legendFormat"], labels),
            )  # fmt: skip
        if found:
            shown += 1
            place.legend(fontsize=6, loc="upper left", framealpha=0.6)
        else:
            said = "no series: nothing of this kind happened"
            place.text(0.5, 0.5, said, ha="center", va="center", fontsize=8, transform=place.transAxes)
        place.set_ylabel(_UNITS.get(panel["fieldConfig"]["defaults"]["unit"], ""), fontsize=7)
        place.set_xlim(since, until)
        place.xaxis.set_major_formatter(lambda at, _: time.strftime("%H:%M", time.gmtime(at)))
        place.tick_params(labelsize=7)
        place.grid(alpha=0.25)
    for place in list(places.flat)[len(panels) :]:
        place.axis("off")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=80)
    pyplot.close(figure)
    return shown


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m dev.deploy.pictures", description=__doc__)
    parser.add_argument(
        "--configuration", type=int, metavar="FIRST_PORT", help="print a Prometheus configuration and end"
    )
    parser.add_argument("--prometheus", default="http://127.0.0.1:9090")
    parser.add_argument("--minutes", type=float, default=15)
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    given = parser.parse_args()
    if given.configuration is not None:
        print(configuration(given.configuration), end="")
        return 0
    until = time.time()
    with httpx.Client(base_url=given.prometheus, timeout=30, trust_env=False) as client:
        try:
            for name, text in objectives.dashboards()["data"].items():
                board = json.loads(text)
                file = given.out / f"{Path(name).stem}.png"
                shown = draw(client, board, until - 60 * given.minutes, until, file)
                print(f"{file}: {shown} of {len(board['panels'])} panels have something to show")
        except (httpx.HTTPError, ValueError) as error:
            print(f"{given.prometheus}: {error}", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
