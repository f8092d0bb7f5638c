"""Operating's composition root: the only file that wires."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from libs.contracts import subjects
from libs.contracts.catalogue.flags import flags
from libs.runtime.bus import Bus
from libs.runtime.metrics import serve_metrics
from libs.runtime.plane import HEARTBEAT_SECONDS, Runtime
from services.operating.channels import Channels
from services.operating.data_health.desk import serve_data_health
from services.operating.dead_events.handlers import serve_dead_events
from services.operating.domain.health import Board
from services.operating.domain.spans import Buffer
from services.operating.flags.desk import serve_flags
from services.operating.handlers import Controls, Flags, Health, LiveSwitches, Traces
from services.operating.incidents.desk import serve_incidents
from services.operating.launch.desk import serve_launch
from services.operating.objectives.desk import serve_objectives
from services.operating.propagation import Propagation
from services.operating.recoveries.desk import Recoveries
from services.operating.settings import OperatingSettings
from services.operating.store import SqlStore, Store
from services.operating.watching import Watching


async def build(runtime: Runtime) -> None:
    """Wire the plane onto its runtime.

    Raises pydantic.ValidationError when the catalogue of flags is wrong.
    """
    loops, flush = wire(runtime.bus, SqlStore(runtime.database), OperatingSettings(), now=runtime.now)
    recoveries = Recoveries(runtime.database)
    runtime.bus.serve(subjects.RECOVERIES, recoveries.list)
    runtime.bus.serve(subjects.REPORT_RESTORE, recoveries.report)
    runtime.loop("reports about recovery", recoveries.run)
    for name, run in loops.items():
        runtime.loop(name, run)
    runtime.on_stop.append(flush)
    serve_dead_events(runtime)
    serve_data_health(runtime)
    serve_launch(runtime)
    serve_incidents(runtime, serve_objectives(runtime))
    runtime.loop("watching", Watching(runtime).run)
    serve_metrics(runtime)


Loop = Callable[[], Awaitable[None]]


def wire(
    bus: Bus, store: Store, settings: OperatingSettings, *, now: Callable[[], datetime]
) -> tuple[dict[str, Loop], Loop]:
    """Serve operating's calls and signals on any bus, over any store. Returns the loops to run by name, and what to do at the end."""
    flags()  # a wrong catalogue stops the start
    interval = timedelta(seconds=HEARTBEAT_SECONDS)
    propagation = Propagation(store, bus)
    health = Health(store, Board(interval), now, interval)
    controls = Controls(store, propagation)
    switches = Flags(store)
    traces = Traces(store, Buffer(), keep=settings.spans_kept, older_than=timedelta(hours=settings.spans_hours))

    bus.serve(subjects.PLANES, health.planes)
    bus.serve(subjects.CONTROL, controls.command)
    bus.serve(subjects.CONTROLS, controls.list)
    bus.serve(subjects.FLAGS, switches.read)
    bus.serve(subjects.SET_FLAG, switches.set)
    serve_flags(bus, store)
    bus.serve(subjects.TRACE, traces.read)
    bus.on(subjects.LIVE_SWITCHED, LiveSwitches(store).switched)
    bus.on(subjects.CHANNEL_PAUSED, Channels(controls.command).paused)
    bus.on_signal(subjects.HEALTH, health.hear)
    bus.on_signal(subjects.SPANS, traces.hear)
    loops: dict[str, Loop] = {
        "heartbeats": health.run,
        "control delivery": propagation.run,
        "spans": traces.run,
        "forgetting spans": traces.run_forgetting,
    }
    return loops, traces.flush
