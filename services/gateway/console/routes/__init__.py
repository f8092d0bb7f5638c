"""The console's pages: forms in, pages out. Every rule is a plane's; nothing here decides anything."""

from __future__ import annotations

from fastapi import APIRouter

from services.gateway.console.desk import problem_page
from services.gateway.console.routes import (
    actions,
    approvals,
    canaries,
    command_center,
    compliance,
    connectors,
    contradictions,
    crm,
    dead_events,
    dead_letters,
    evidence,
    flows,
    gate,
    insight,
    knowledge,
    metric_rows,
    models,
    partners,
    people,
    policy,
    session,
    sso,
    targeting,
    together,
    webhooks,
)

router = APIRouter()
for area in (
    session,
    sso,
    command_center,
    together,
    approvals,
    targeting,
    crm,
    partners,
    people,
    evidence,
    insight,
    metric_rows,
    knowledge,
    flows,
    actions,
    compliance,
    contradictions,
    gate,
    policy,
    connectors,
    dead_letters,
    dead_events,
    canaries,
    models,
    webhooks,
):
    router.include_router(area.router)

__all__ = ["problem_page", "router"]
