"""Puts the surface together: the application with all its routes, and what stands around it."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

from fastapi import Depends, FastAPI
from starlette.types import ASGIApp

from services.gateway.http import (
    access,
    actions,
    approval_desk,
    approvals,
    architecture,
    arrange,
    audit,
    auth,
    briefs,
    canaries,
    cards,
    compliance,
    connectors,
    contradictions,
    conversations,
    crm,
    dead_events,
    dead_letters,
    documents,
    drafts,
    enrichment,
    executive,
    experiments,
    flags,
    flows,
    forecasts,
    governance,
    growth,
    health,
    import_rows,
    inbox,
    incidents,
    integrations,
    knowledge,
    launch,
    lineage,
    live,
    mappings,
    me,
    memos,
    metrics_catalog,
    model_routing,
    objectives,
    ofrep,
    onboarding,
    operating,
    operations,
    outreach,
    partners,
    plugins,
    policy,
    prices,
    problems,
    proof,
    proof_pack,
    quality,
    radar,
    receipts,
    recoveries,
    registers,
    rights,
    screening,
    sequences,
    settling,
    simulations,
    subscriptions,
    targeting,
    tenant,
    tower,
    trust,
    unsubscribe,
    users,
    webhooks,
    witnesses,
    work_units,
)
from services.gateway.http.context import Gateway
from services.gateway.http.edge import Envelope, Gatekeeper, Limits
from services.gateway.http.guards import check_csrf
from services.gateway.http.replays import Replays
from services.gateway.scim import routes as scim

CONSOLE = "services.gateway.console.routes"
ROUTERS = (
    health.router,
    documents.router,
    auth.router,
    me.router,
    users.router,
    targeting.router,
    cards.router,
    actions.router,
    settling.router,
    webhooks.router,
    briefs.router,
    subscriptions.router,
    approval_desk.router,
    approvals.router,
    access.router,
    trust.router,
    unsubscribe.router,
    rights.router,
    registers.router,
    policy.router,
    proof.router,
    work_units.router,
    proof_pack.router,
    audit.router,
    witnesses.router,
    receipts.router,
    recoveries.router,
    compliance.router,
    contradictions.router,
    conversations.router,
    connectors.router,
    integrations.router,
    plugins.router,
    canaries.router,
    dead_letters.router,
    operating.router,
    architecture.router,
    objectives.router,
    operations.router,
    incidents.router,
    radar.router,
    live.router,
    screening.router,
    governance.router,
    growth.router,
    partners.router,
    inbox.router,
    experiments.router,
    onboarding.router,
    tower.router,
    forecasts.router,
    executive.router,
    simulations.router,
    crm.router,
    arrange.router,
    outreach.router,
    knowledge.router,
    launch.router,
    metrics_catalog.router,
    model_routing.router,
    scim.router,
    lineage.router,
    drafts.router,
    enrichment.router,
    tenant.router,
    quality.router,
    import_rows.router,
    mappings.router,
    prices.router,
    memos.router,
    flags.router,
    ofrep.router,
    flows.router,
    sequences.router,
    dead_events.router,
)


def application() -> FastAPI:
    """All routes, without anything behind them yet."""
    app = FastAPI(
        # Its own spans would begin new traces below ours, and its logs quote what people sent.
        telemetry={"tracing": False, "metrics": False, "logs": False, "operation_spans": False},
        title=documents.TITLE,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
        dependencies=[Depends(check_csrf)],
    )

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = documents.openapi_document(app)
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to change its document
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    _console(app)
    return app


def _console(app: FastAPI) -> None:
    """The pages and their files."""
    from services.gateway.console import assets, urls

    app.mount(urls.STATIC, assets.ConsoleStatic())
    if (pages := _pages()) is not None:
        app.include_router(pages.router, include_in_schema=False)


def _pages() -> Any:
    """The module of the console's routes: `router`, and `problem_page` for refusals that a person sees."""
    return import_module(CONSOLE) if find_spec(CONSOLE) is not None else None


def surround(app: FastAPI, gateway: Gateway) -> ASGIApp:
    """The application with the gateway behind it and the edge around it, the outermost last."""
    app.state.gateway = gateway
    gateway.problem_page = getattr(_pages(), "problem_page", None)
    return Envelope(Limits(Gatekeeper(Replays(app, gateway), gateway), gateway), gateway)
