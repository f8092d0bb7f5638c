"""Data's composition root: the only file that wires."""

from __future__ import annotations

from libs.contracts import subjects
from libs.contracts.message import Plane
from libs.runtime.metrics import serve_metrics
from libs.runtime.plane import Runtime
from services.data.crm.app import serve_crm
from services.data.enriching.desk import serve_enriching
from services.data.erasure import People
from services.data.handlers import ImportDesk, Tenants, Truth
from services.data.history.desk import serve_history
from services.data.importing.remarks import serve_remarks
from services.data.importing.remembered import serve_remembered
from services.data.importing.worker import ImportWorker
from services.data.insight.lineage import serve_lineage
from services.data.insight.quality import serve_quality
from services.data.insight.scopes import serve_scopes
from services.data.knowledge.app import serve_knowledge
from services.data.offers import Offers
from services.data.onboarding.desk import serve_onboarding
from services.data.outcomes.desk import serve_outcomes


async def build(runtime: Runtime) -> None:
    """Wire the plane."""
    bus, worker = runtime.bus, ImportWorker(runtime)
    tenants, desk, truth = Tenants(runtime), ImportDesk(runtime, worker), Truth(runtime)
    bus.serve(subjects.ENSURE_TENANT, tenants.ensure)
    bus.serve(subjects.TENANT, tenants.get)
    bus.serve(subjects.SET_OFFER, Offers(runtime).set)
    bus.serve(subjects.IMPORT, desk.start)
    bus.serve(subjects.IMPORT_STATUS, desk.status)
    bus.serve(subjects.IMPORTS, desk.list)
    bus.serve(subjects.IMPORT_REJECTS, desk.rejects)
    bus.serve(subjects.IMPORT_CANCEL, desk.cancel)
    bus.serve(subjects.IMPORT_UNDO, desk.undo)
    bus.serve(subjects.FACTS, truth.facts)
    bus.serve(subjects.LEADS, truth.leads)
    bus.serve(subjects.LEAD_PAGES, truth.lead_pages)
    serve_crm(runtime)
    people = People(runtime)
    runtime.bus.serve(subjects.PERSON[Plane.DATA], people.person)
    runtime.bus.on(subjects.ERASURE_ORDERED, people.erase)
    serve_enriching(runtime)
    serve_remembered(runtime)
    serve_remarks(runtime)
    serve_history(runtime)
    serve_knowledge(runtime)
    serve_onboarding(runtime)
    serve_outcomes(runtime)
    serve_lineage(runtime)
    serve_scopes(runtime)
    serve_quality(runtime)
    serve_metrics(runtime)
    runtime.loop("imports", worker.run)
