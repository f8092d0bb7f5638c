"""Subjects that several planes have alike: one call or event each, named after the plane. A part of `subjects.py`, which has them all."""

from __future__ import annotations

from libs.contracts import dead_events, launch, lineage, metrics, observed, operating, rights, trust
from libs.contracts.declaring import Call, Event
from libs.contracts.declaring import by as _by
from libs.contracts.message import Ok, Plane

_D, _E, _T, _DA, _O, _G = Plane.DECISION, Plane.EXECUTION, Plane.TRUST, Plane.DATA, Plane.OPERATING, Plane.GATEWAY

PINGS: dict[Plane, Call[operating.PingRequest, operating.PingReply]] = {
    plane: Call(
        f"{plane.value}.ping.v1", operating.PingRequest, operating.PingReply, frozenset({_G, _O}) - {plane}, 2.0
    )
    for plane in Plane
}
OWN_CREDENTIALS: dict[Plane, Call[launch.CredentialsRequest, launch.OwnCredentials]] = {
    plane: Call(
        f"{plane.value}.own_credentials.v1", launch.CredentialsRequest, launch.OwnCredentials, frozenset({_O}), 2.0
    )
    for plane in Plane
    if plane is not _O
}
TAKE_EVENT: dict[Plane, Call[dead_events.TakeEvent, Ok]] = {
    plane: Call(f"{plane.value}.take_event.v1", dead_events.TakeEvent, Ok, frozenset({_O}), 10.0)
    for plane in Plane
    if plane not in (_G, _O)
}
"""Planes that hear events beside operating, which keeps what could not be taken: each asked to take one that it could not take before."""
HOLDERS = (_T, _DA, _D, _E)
"""Planes that hold something about people."""
PERSON: dict[Plane, Call[rights.PersonRequest, rights.PersonReply]] = {
    plane: Call(f"{plane.value}.person.v1", rights.PersonRequest, rights.PersonReply, _by() - {plane}, 10.0)
    for plane in HOLDERS
}
METRICS: dict[Plane, Call[metrics.MetricGet, metrics.MetricValue]] = {
    plane: Call(f"{plane.value}.metric.v1", metrics.MetricGet, metrics.MetricValue, _by(_D) - {plane}, 15.0)
    for plane in HOLDERS
} | {_O: Call("operating.metric.v1", metrics.MetricGet, metrics.MetricValue, frozenset({_G}), 15.0)}
METRIC_SERIES: dict[Plane, Call[metrics.SeriesRequest, metrics.SeriesReply]] = {
    plane: Call(f"{plane.value}.metric_series.v1", metrics.SeriesRequest, metrics.SeriesReply, _by(_D) - {plane}, 20.0)
    for plane in HOLDERS
}
METRIC_PARTS: dict[Plane, Call[metrics.PartsRequest, metrics.PartsReply]] = {
    _DA: Call("data.metric_parts.v1", metrics.PartsRequest, metrics.PartsReply, _by(_D), 15.0)
}
"""Planes with a metric that can be asked part by part."""
METRIC_ROWS: dict[Plane, Call[metrics.MetricRowsRequest, metrics.MetricRowsReply]] = {
    plane: Call(
        f"{plane.value}.metric_rows.v1", metrics.MetricRowsRequest, metrics.MetricRowsReply, _by() - {plane}, 15.0
    )
    for plane in (*HOLDERS, _O)
}
METRIC_COUNTED: dict[Plane, Call[metrics.CountedRequest, metrics.CountedReply]] = {
    plane: Call(
        f"{plane.value}.metric_counted.v1", metrics.CountedRequest, metrics.CountedReply, _by(_D) - {plane}, 10.0
    )
    for plane in HOLDERS
}
LINEAGE: dict[Plane, Call[lineage.LineageRequest, lineage.LineageReply]] = {
    plane: Call(
        f"{plane.value}.lineage.v1",
        lineage.LineageRequest,
        lineage.LineageReply,
        # A proof pack asks execution for the actions about a deal.
        (_by(_D) if plane is _E else _by()) - {plane},
        10.0,
    )
    for plane in HOLDERS
}
ERASED: dict[Plane, Event[rights.ErasurePerformed]] = {
    plane: Event(f"{plane.value}.erasure_performed.v1", rights.ErasurePerformed, frozenset({_T}))
    for plane in HOLDERS
    if plane is not _T
}
AUDITED: dict[Plane, Event[trust.AuditRecorded]] = {
    plane: Event(f"{plane.value}.audit_recorded.v1", trust.AuditRecorded, frozenset({_T}))
    for plane in Plane
    if plane is not _T
}
_FACTS: dict[Plane, type[observed.FactsReported]] = {
    _DA: observed.DataFacts,
    _D: observed.DecisionFacts,
    _E: observed.ExecutionFacts,
    _G: observed.GatewayFacts,
    _O: observed.OperatingFacts,
}
OBSERVED: dict[Plane, Event[observed.FactsReported]] = {
    plane: Event(f"{plane.value}.facts_reported.v2", facts, frozenset({_T})) for plane, facts in _FACTS.items()
}
# As the release before this one tells them: heard for one release, while its planes and what they sent are still about.
OBSERVED_BEFORE: dict[Plane, Event[observed.FactsReported]] = {
    plane: Event(f"{plane.value}.facts_reported.v1", facts, frozenset({_T})) for plane, facts in _FACTS.items()
}
RECORDED_BEFORE: dict[Plane, Event[observed.FactsRecorded]] = {
    plane: Event(f"{plane.value}.facts_recorded.v1", observed.FactsRecorded, frozenset({_T})) for plane in (_DA, _D)
}
