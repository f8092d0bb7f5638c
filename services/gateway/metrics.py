"""Counters of this process in the Prometheus text format (version 0.0.4). Labels are routes and codes, never ids."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds."""

_Labels = tuple[tuple[str, str], ...]


class Meter:
    """Requests by route: how many, how long, with which status."""

    def __init__(self) -> None:
        self._requests: Counter[_Labels] = Counter()
        self._seconds: Counter[_Labels] = Counter()
        self._buckets: Counter[tuple[_Labels, float]] = Counter()
        self._sums: dict[_Labels, float] = {}
        self.in_flight = 0

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        where: _Labels = (("method", method), ("route", route))
        self._requests[(*where, ("status", str(status)))] += 1
        self._seconds[where] += 1
        self._sums[where] = self._sums.get(where, 0.0) + seconds
        for bound in BUCKETS:
            if seconds <= bound:
                self._buckets[where, bound] += 1

    def text(self, gauges: Mapping[str, float]) -> str:
        """The exposition. `gauges` are further values by metric name."""
        out = ["# TYPE dealix_http_requests_total counter"]
        out += [f"dealix_http_requests_total{_labels(k)} {v}" for k, v in sorted(self._requests.items())]
        out.append("# TYPE dealix_http_request_seconds histogram")
        for where in sorted(self._seconds):
            for bound in BUCKETS:
                count = self._buckets[where, bound]
                out.append(f"dealix_http_request_seconds_bucket{_labels((*where, ('le', f'{bound:g}')))} {count}")
            out.append(f"dealix_http_request_seconds_bucket{_labels((*where, ('le', '+Inf')))} {self._seconds[where]}")
            out.append(f"dealix_http_request_seconds_sum{_labels(where)} {self._sums[where]:.6f}")
            out.append(f"dealix_http_request_seconds_count{_labels(where)} {self._seconds[where]}")
        for name, value in {"dealix_http_in_flight": float(self.in_flight), **gauges}.items():
            out += [f"# TYPE {name} gauge", f"{name} {value:g}"]
        return "\n".join(out) + "\n"


def _labels(labels: _Labels) -> str:
    inner = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels)
    return f"{{{inner}}}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
