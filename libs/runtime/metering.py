"""Numbers of this process for Prometheus: answered calls by subject (rate, errors, duration), checks, gauges.

Labels are subjects, outcomes and names of checks: never ids, never anything of a tenant.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import accumulate

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds of the buckets, in seconds."""


@dataclass
class CallMeter:
    """How many requests of each call were answered, how, and how long each took."""

    _outcomes: Counter[tuple[str, str]] = field(default_factory=Counter)
    _buckets: dict[str, list[int]] = field(default_factory=dict)
    _seconds: Counter[str] = field(default_factory=Counter)

    def count(self, subject: str, outcome: str, seconds: float) -> None:
        """Note one answer. `outcome` is `ok`, `refused` (a typed refusal) or `failed` (our fault)."""
        self._outcomes[subject, outcome] += 1
        self._seconds[subject] += seconds  # type: ignore[assignment]  # a Counter adds floats as well
        buckets = self._buckets.setdefault(subject, [0] * (len(BOUNDS) + 1))
        buckets[bisect_left(BOUNDS, seconds)] += 1

    def lines(self) -> Iterable[str]:
        """The counters and histograms in the text format."""
        yield "# TYPE dealix_calls_total counter"
        for (subject, outcome), number in sorted(self._outcomes.items()):
            yield sample("dealix_calls_total", number, subject=subject, outcome=outcome)
        yield "# TYPE dealix_call_seconds histogram"
        for subject, buckets in sorted(self._buckets.items()):
            for bound, number in zip((*(f"{b:g}" for b in BOUNDS), "+Inf"), accumulate(buckets), strict=True):
                yield sample("dealix_call_seconds_bucket", number, subject=subject, le=bound)
            yield sample("dealix_call_seconds_sum", self._seconds[subject], subject=subject)
            yield sample("dealix_call_seconds_count", sum(buckets), subject=subject)


CALLS = CallMeter()
"""The calls that this process answers."""


def exposition(plane: str, version: str, checks: Mapping[str, str], gauges: Mapping[str, float]) -> str:
    """What `/metrics` shows of one plane (Prometheus text format 0.0.4). `gauges` are values by full metric name."""
    out = ["# TYPE dealix_plane_info gauge", sample("dealix_plane_info", 1, plane=plane, version=version)]
    out.append("# TYPE dealix_check gauge")
    out += [sample("dealix_check", float(answer == "ok"), plane=plane, check=name) for name, answer in checks.items()]
    for name, value in gauges.items():
        out += [f"# TYPE {name} gauge", sample(name, value, plane=plane)]
    out += CALLS.lines()
    return "\n".join(out) + "\n"


def sample(name: str, value: float, **labels: str) -> str:
    """One line: name, labels, value."""
    inner = ",".join(f'{key}="{_escaped(label)}"' for key, label in labels.items())
    return f"{name}{{{inner}}} {value:g}" if isinstance(value, float) else f"{name}{{{inner}}} {value}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
