"""Execution's composition root: the only file that wires."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from libs.contracts import subjects
from libs.contracts.catalogue.plugins import installed
from libs.contracts.grant import RootCache
from libs.contracts.message import Plane
from libs.runtime.bus import Bus
from libs.runtime.database import Database
from libs.runtime.metrics import serve_metrics
from libs.runtime.plane import Runtime
from libs.runtime.settings import SettingsError
from services.execution.canaries.choosing import Canaries, versions_of
from services.execution.canaries.handlers import CanaryDesk, ModelVersions
from services.execution.canaries.watch import Watch
from services.execution.connectors.base import Connector, Sandbox
from services.execution.connectors.email_smtp import EmailSmtp
from services.execution.connectors.internal import Internal
from services.execution.connectors.slack import Slack
from services.execution.connectors.webhook import Webhook
from services.execution.connectors.whatsapp import WhatsApp
from services.execution.dead_letters.handlers import Ages, DeadLetters
from services.execution.dead_letters.isolate import Isolation
from services.execution.erasure import People
from services.execution.flows.app import Flows, carry
from services.execution.flows.backend import ExecutionBackend
from services.execution.flows.domain.definition import Definitions
from services.execution.flows.sql import SqlBackend
from services.execution.gate import Gate
from services.execution.handlers import Orders, Queries
from services.execution.insight.lineage import serve_lineage
from services.execution.insight.scopes import serve_scopes
from services.execution.intake import WORKERS, Claimer, Intake
from services.execution.live.handlers import Setup
from services.execution.live.prices import serve_prices
from services.execution.live.reach import allowed_hosts
from services.execution.live.switch import TASK, HasCredential, LiveSwitch
from services.execution.models.app import serve_models
from services.execution.models.app import vendors as model_vendors
from services.execution.models.calls import Calls
from services.execution.pipeline import Pipeline
from services.execution.plugins.api import Tools
from services.execution.plugins.flow_hooks import hearing
from services.execution.plugins.guard import Guard
from services.execution.plugins.handlers import Plugins
from services.execution.plugins.hooks import Hooks
from services.execution.plugins.loading import load_plugins
from services.execution.push.app import serve_push
from services.execution.push.secrets import Secrets
from services.execution.router import TaskRouter, catalogue_router
from services.execution.settings import ModelSettings
from services.execution.settling.handlers import Settling
from services.execution.store import SqlStore, Store
from services.execution.vault import Vault, VaultSlack, VaultSmtp, VaultWhatsApp


async def build(runtime: Runtime) -> None:
    """Wire the plane.

    Raises SettingsError without `DEALIX_SECRET_KEY`: credentials could not be sealed.
    """
    secret = os.environ.get("DEALIX_SECRET_KEY", "")
    if len(secret) < 32:
        raise SettingsError(
            "DEALIX_SECRET_KEY is missing or shorter than 32 characters: credentials can't be sealed without it."
        )
    sandbox = Sandbox(runtime.now)
    vault = Vault(runtime.database, secret, ModelSettings().credentials())
    calls = Calls()
    secrets = Secrets(runtime.database, vault, runtime.now)
    vendors: list[Connector] = [
        EmailSmtp(sandbox, VaultSmtp(vault, allowed_hosts()), runtime.now),
        WhatsApp(sandbox, VaultWhatsApp(vault), runtime.now),
        Slack(sandbox, VaultSlack(vault), runtime.now),
        Webhook(sandbox, secrets, runtime.now, allowed_hosts()),
        *model_vendors(runtime, sandbox, vault, calls),
    ]
    router = catalogue_router()
    plugins = load_plugins(installed(), router, Tools(sandbox, runtime.now))
    flows = hearing(SqlBackend(runtime.database), plugins.hooks, runtime.now)
    every = [*vendors, *plugins.connectors]
    parts = serve(
        runtime,
        SqlStore(runtime.database),
        every,
        sandbox,
        router,
        flows=flows,
        hooks=plugins.hooks,
        has_credential=vault.holds,
    )
    await parts.flows.check()
    by_key = {one.profile.key: one for one in reversed(every)}
    setup = Setup(runtime.database, vault, by_key, parts.intake.submit, runtime.now, allowed_hosts())
    parts.queries.standing = setup.connectors
    serve_setup(runtime.bus, setup)
    serve_push(runtime, secrets, allowed_hosts(), parts.intake.submit)
    serve_prices(runtime, by_key)
    told = Plugins(plugins.installed)
    runtime.bus.serve(subjects.PLUGINS, told.listed)
    runtime.after_start.append(lambda: told.record(runtime))
    store, carry = SqlStore(runtime.database), parts.isolation.carry
    completing = serve_models(runtime, store, router, carry, calls, parts.pipeline.canaries, vault.holds)
    serve_canaries(runtime, parts.pipeline.canaries, completing.versions)
    people = People(runtime)
    runtime.bus.serve(subjects.PERSON[Plane.EXECUTION], people.person)
    serve_lineage(runtime)
    serve_scopes(runtime)
    serve_metrics(runtime)
    runtime.bus.on(subjects.ERASURE_ORDERED, people.erase)
    runtime.loop("intake", parts.intake.accept)
    for number in range(WORKERS):
        runtime.loop(f"worker-{number}", parts.intake.work)
    runtime.loop("claimer", parts.claimer.run)
    runtime.loop("flows", parts.flows.engine.run)
    runtime.loop("flow-leases", parts.flows.engine.keep_leases)
    runtime.gauges["dealix_flows_live"] = parts.flows.live
    runtime.loop("dead letters' age", parts.ages.run)
    runtime.after_start.append(partial(_first_keys, parts.pipeline))
    runtime.gauges["dealix_due_backlog"] = lambda: due_backlog(runtime.database)
    runtime.gauges["dealix_dead_letters_open"] = lambda: open_letters(runtime.database)


async def _none(_: UUID, __: str) -> bool:
    """Without a vault nobody has a credential."""
    return False


def serve_setup(bus: Bus, setup: Setup) -> None:
    """Answer what concerns setting connectors up, which needs SQL."""
    bus.serve(subjects.SET_CONNECTOR, setup.set_rate)
    bus.serve(subjects.PUT_CREDENTIAL, setup.put)
    bus.serve(subjects.DROP_CREDENTIAL, setup.drop)
    bus.serve(subjects.PROBE_CONNECTOR, setup.probe)
    bus.serve(subjects.SWITCH_LIVE, setup.switch_live)


async def _first_keys(pipeline: Pipeline) -> None:
    await pipeline.load_keys()


def serve_canaries(runtime: Runtime, canaries: Canaries, of_models: ModelVersions) -> None:
    """Answer about canaries, keep the snapshot fresh, and judge what runs."""
    watch = Watch(runtime, canaries)
    desk = CanaryDesk(runtime, canaries, watch, of_models)
    canaries.recorder = watch.record
    runtime.bus.serve(subjects.CANARIES, desk.page)
    runtime.bus.serve(subjects.CANARY, desk.get)
    runtime.bus.serve(subjects.CANARY_RUNS, desk.runs)
    runtime.bus.serve(subjects.START_CANARY, desk.start)
    runtime.bus.serve(subjects.CHANGE_CANARY, desk.change)
    runtime.bus.serve(subjects.ASSIGN_RUN, desk.assign)
    runtime.bus.serve(subjects.REPORT_RUN, desk.report)
    runtime.after_start.append(watch.refresh)
    runtime.loop("canaries", watch.follow)
    runtime.loop("canary-judge", watch.judge)


async def due_backlog(database: Database) -> float:
    """Actions of all tenants that are due and that no live replica has in hand: what more replicas would take."""
    async with database.batch() as work:
        sql = "select count(*) from work where due_at <= now() and (lease_until is null or lease_until < now())"
        return float(await work.connection.fetchval(sql))


async def open_letters(database: Database) -> float:
    """Dead letters of all tenants that wait for a person."""
    async with database.batch() as work:
        return float(await work.connection.fetchval("select count(*) from dead_letter_clocks"))


@dataclass(frozen=True)
class Parts:
    """What has to run once the bus is up: workers on the intake, the claimer, and the first reading of trust's keys."""

    queries: Queries
    intake: Intake
    claimer: Claimer
    pipeline: Pipeline
    ages: Ages
    flows: Flows
    isolation: Isolation


def serve(
    runtime: Runtime,
    store: Store,
    vendors: Sequence[Connector],
    sandbox: Sandbox,
    router: TaskRouter,
    *,
    flows: ExecutionBackend,
    clock: Callable[[], float] = time.time,
    hooks: Hooks | None = None,
    definitions: Definitions | None = None,
    has_credential: HasCredential | None = None,
) -> Parts:
    """Answer and hear everything, over any store and any connectors. `clock` gives Unix seconds; grants expire by it. `definitions` are the
    catalogue's flows unless others are given."""
    # The first of a key is the usual one; others of it are versions that canaries may choose.
    connectors: Mapping[str, Connector] = {one.profile.key: one for one in reversed(vendors)}
    made = {
        task: {version: Internal(handler, runtime.now) for version, handler in versions.items()}
        for task, versions in router.versions.items()
    }
    tasks: Mapping[str, Connector] = {name: Internal(task, runtime.now) for name, task in router.internal().items()}
    tasks = {**tasks, TASK: LiveSwitch(store, has_credential or _none, runtime.now)}
    bus, gate = runtime.bus, Gate(RootCache({}), clock)
    pipeline = Pipeline(store, bus, gate, connectors, tasks, sandbox, runtime.now)
    pipeline.canaries = Canaries(versions_of(made, vendors))
    pipeline.guard = Guard(hooks or Hooks(), store, runtime.now)
    isolation = Isolation(pipeline.run, pipeline.bury, store.backlog)
    intake = Intake(runtime, store, isolation, router)
    claimer = Claimer(runtime, store, isolation)
    settling = Settling(store, intake.submit, runtime.now)
    letters = DeadLetters(store, intake.submit, claimer.wake, runtime.now)
    queries = Queries(store, list(connectors.values()))
    orders = Orders(store, claimer.wake, bus, intake.submit, connectors)
    carried = carry(flows, bus, router, runtime.instance, intake.take, definitions, now=runtime.now)
    orders.edited = carried.edited
    pipeline.settled = carried.also_wakes(queries.settled)

    bus.serve(subjects.SUBMIT, intake.submit)
    bus.serve(subjects.ACTION, queries.action)
    bus.serve(subjects.ACTION_STATES, queries.states)
    bus.serve(subjects.ACTIONS, queries.actions)
    bus.serve(subjects.CANCEL, queries.cancel)
    bus.serve(subjects.SANDBOX, queries.sandbox)
    bus.serve(subjects.CONNECTORS, queries.connectors)
    bus.serve(subjects.COMPENSATE, settling.compensate)
    bus.serve(subjects.COMPENSATION, settling.plan)
    bus.serve(subjects.SETTLE_UNKNOWN, settling.settle)
    bus.serve(subjects.DEAD_LETTERS, letters.page)
    bus.serve(subjects.DEAD_LETTER, letters.show)
    bus.serve(subjects.REPLAY_LETTER, letters.replay)
    bus.serve(subjects.RESUBMIT_LETTER, letters.resubmit)
    bus.serve(subjects.DISCARD_LETTER, letters.discard)
    bus.serve(subjects.EXECUTION_CONTROL, orders.control)
    bus.serve(subjects.LIST_EFFECTS, orders.list_effects)
    bus.on(subjects.APPROVAL_DECIDED, orders.approval_decided)
    bus.on(subjects.OUTCOME_RESOLVED, orders.outcome_resolved)
    bus.on(subjects.REPLY_RECEIVED, carried.replied)
    bus.on(subjects.DEAL_MOVED, carried.moved)
    bus.on(subjects.CONTACT_STOPPED, carried.also_stops(orders.contact_stopped))
    return Parts(queries, intake, claimer, pipeline, Ages(store, store, runtime.now), carried, isolation)
